// A provider that says whatever a test wants, byte for byte, and keeps what it was asked: for
// answers that no HTTP server would give. Plain HTTP on a free port of 127.0.0.1; each connection
// has one request and a thread of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/end_to_end/loopback_server.h"

namespace rollcall {

class HostileServer {
 public:
  // One client's connection, behind the head of its request.
  class Peer {
   public:
    explicit Peer(int socket) : socket_(socket) {}

    // False once the client has gone, or the server ends.
    bool Send(absl::string_view bytes) const;
    // Sends `piece` until there are `total` bytes of it. Returns how many the kernel took before
    // the client went.
    std::size_t SendOver(absl::string_view piece, std::size_t total) const;

   private:
    const int socket_;
  };

  using Answer = std::function<void(const Peer&)>;

  explicit HostileServer(Answer answer);

  int port() const { return server_.port(); }
  // "http://127.0.0.1:PORT".
  std::string url() const { return server_.url(); }

  // What it answers from now on.
  void SetAnswer(Answer answer);

  // Connections so far, and the heads of the requests that came by them.
  std::size_t connections() const { return server_.connections(); }
  std::vector<std::string> heads() const;

 private:
  void Serve(int socket);

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Answer answer_;
  std::vector<std::string> heads_;

  // Last, so that its threads end before what they use.
  LoopbackServer server_;
};

}  // namespace rollcall
