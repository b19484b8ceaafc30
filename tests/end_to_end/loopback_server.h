// Common part of the tests' servers: a free port of 127.0.0.1, one thread per connection, and a
// destructor that breaks all connections. HostileServer and ConnectProxy decide what is sent.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"

namespace rollcall {

class LoopbackServer {
 public:
  // `serve` runs on its connection's thread, concurrently with others. It must leave the socket
  // open. `receive_buffer_bytes` is the size of the kernel's receive buffer; 0 keeps the kernel's
  // default.
  explicit LoopbackServer(std::function<void(int socket)> serve, int receive_buffer_bytes = 0);
  // Breaks all connections and joins their threads.
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  int port() const { return port_; }
  // "http://127.0.0.1:PORT".
  std::string url() const;

  // Number of connections so far.
  std::size_t connections() const;

  // Registers a socket that `serve` opened: the server breaks and closes it when it stops. If the
  // server is already stopping, closes it and returns false.
  bool Keep(int socket);

 private:
  void Accept();

  const std::function<void(int socket)> serve_;
  const int listener_;
  const int port_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  bool ending_ = false;
  std::vector<int> sockets_;  // open until the server stops
  std::vector<std::thread> threads_;

  std::thread acceptor_;
};

// Makes a TCP socket listen on a free port of 127.0.0.1, and returns the port.
int ListenOnLoopback(int socket);

// Reads up to the end of a request's head; nullopt if the peer closes before it.
std::optional<std::string> ReadHead(int socket);

// False once the peer cannot be written to.
bool SendAll(int socket, absl::string_view bytes);

}  // namespace rollcall
