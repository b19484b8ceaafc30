// A provider that sends arbitrary bytes and records its requests, for responses that no HTTP server
// would send. Plain HTTP on a free port of 127.0.0.1. Each connection serves one request on its own
// thread.
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
  // A client's connection, after the head of its request was read.
  class Peer {
   public:
    explicit Peer(int socket) : socket_(socket) {}

    // False once the client has disconnected, or the server stops.
    bool Send(absl::string_view bytes) const;
    // Sends `piece` repeatedly, up to `total` bytes. Returns how many bytes the kernel took before
    // the client disconnected.
    std::size_t SendOver(absl::string_view piece, std::size_t total) const;

   private:
    const int socket_;
  };

  using Answer = std::function<void(const Peer&)>;

  explicit HostileServer(Answer answer);

  int port() const { return server_.port(); }
  // "http://127.0.0.1:PORT".
  std::string url() const { return server_.url(); }

  // The response from now on.
  void SetAnswer(Answer answer);

  // Number of connections so far, and the heads of their requests.
  std::size_t connections() const { return server_.connections(); }
  std::vector<std::string> heads() const;

 private:
  void Serve(int socket);

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Answer answer_;
  std::vector<std::string> heads_;

  // Last, so that its threads end before the members that they use.
  LoopbackServer server_;
};

}  // namespace rollcall
