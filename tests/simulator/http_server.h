#pragma once

// HTTP for the simulator: cpp-httplib parses requests and frames answers, and this adds what a
// simulated provider needs and a web server does not have: control over when each byte of a body
// leaves, connections that are held or cut, and notice of a peer that went away.
//
// Used by Simulator. Each connection has a thread of its own, on which its requests are handled.

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace httplib {
struct Response;
}  // namespace httplib

namespace rollcall::simulator {

// A request as it came.
struct Request {
  std::string method;
  std::string target;  // The path with its query, not decoded.
  std::vector<std::pair<std::string, std::string>> headers;

  // Value of the first header of that name in any case; empty if there is none.
  std::string Header(absl::string_view name) const;
};

// One client's connection, as the handler of a request sees it. Wake() and Close() may be called
// from any thread, everything else from the connection's own.
class Connection {
 public:
  // Takes the socket. `send_buffer_bytes` bounds what the kernel takes in advance of a slow reader;
  // 0 leaves it to the kernel.
  Connection(int socket, int send_buffer_bytes);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  enum class WaitResult { kTimeout, kWoken, kPeerClosed };

  // Sleeps until Wake(), until the peer closes the connection, or for so long.
  WaitResult Wait(absl::Duration timeout);

  // Sends all of it, however slowly the peer reads. False once the connection is of no more use.
  bool Send(absl::string_view bytes);

  // Bytes of the next request, at least one; 0 once there will be none.
  size_t Receive(char* buffer, size_t size);

  // Ends a Wait() or, if there is none, the next.
  void Wake();

  // Nothing is sent or received any more. What was sent still reaches the peer.
  void Close();

  // The same, but the peer gets an error instead, and perhaps not all of what was sent.
  void Reset();

  // Whether the peer was found to have closed the connection, rather than we.
  bool peer_closed() const { return peer_closed_; }

  int socket() const { return socket_; }

 private:
  void NotePeerClosed();

  const int socket_;
  // An eventfd, readable after Wake().
  const int wake_;
  std::atomic<bool> closed_ = false;
  bool peer_closed_ = false;
  // What was received and not yet asked for: requests are read byte by byte.
  char received_[4096];
  size_t received_begin_ = 0;
  size_t received_end_ = 0;
};

class HttpServer {
 public:
  struct Options {
    std::string host;
    int port = 0;  // 0 takes a free one.
    int send_buffer_bytes = 0;
  };
  // Called for each request, on its connection's thread. The answer's body has to be a content
  // provider.
  using Handler = std::function<void(const Request&, Connection&, httplib::Response&)>;

  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const Options& options, Handler handler);

  // Stops listening, closes every connection and waits for their threads.
  ~HttpServer();

  int port() const { return port_; }

 private:
  class Impl;
  HttpServer(std::unique_ptr<Impl> impl, int port);

  const std::unique_ptr<Impl> impl_;
  const int port_;
};

}  // namespace rollcall::simulator
