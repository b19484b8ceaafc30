// What the servers of tests' own have in common: a free port of 127.0.0.1, a thread for each
// connection, and an end that breaks all of them. What is said on a connection is its user's:
// HostileServer, ConnectProxy.
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
  // `serve` runs on the thread of its connection, several at a time. It leaves the socket open.
  // `receive_buffer_bytes` bounds what the kernel takes of a client before it is read; 0 leaves
  // that to the kernel.
  explicit LoopbackServer(std::function<void(int socket)> serve, int receive_buffer_bytes = 0);
  // Breaks all connections and waits for their threads.
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  int port() const { return port_; }
  // "http://127.0.0.1:PORT".
  std::string url() const;

  // That came so far.
  std::size_t connections() const;

  // For a socket that `serve` opened: breaks it when the server ends, and closes it then. At once,
  // and false, where the server is ending.
  bool Keep(int socket);

 private:
  void Accept();

  const std::function<void(int socket)> serve_;
  const int listener_;
  const int port_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  bool ending_ = false;
  std::vector<int> sockets_;  // open until the end
  std::vector<std::thread> threads_;

  std::thread acceptor_;
};

// Makes a TCP socket listen on a free port of 127.0.0.1, which it returns.
int ListenOnLoopback(int socket);

// Reads up to the end of a request's head; absent where the peer ends before.
std::optional<std::string> ReadHead(int socket);

// False once the peer takes no more.
bool SendAll(int socket, absl::string_view bytes);

}  // namespace rollcall
