// An HTTP proxy of a test's own, for CONNECT only: it leads to 127.0.0.1, whatever host it is asked
// for, so that a name which nobody knows is reached through it and in no other way. Serves on a
// free port until it is destroyed.
#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace rollcall {

class ConnectProxy {
 public:
  ConnectProxy();
  // Breaks all connections.
  ~ConnectProxy();
  ConnectProxy(const ConnectProxy&) = delete;
  ConnectProxy& operator=(const ConnectProxy&) = delete;

  // "http://127.0.0.1:PORT".
  std::string url() const;

  // Answers so from now on, "403 Forbidden", instead of connecting.
  void Refuse(const std::string& status);

  // The heads of the requests that came so far.
  std::vector<std::string> heads() const;

 private:
  void Accept();
  void Serve(int client);
  // The socket is broken when the proxy ends; at once, and false, where it is ending.
  bool Keep(int socket);

  int listener_ = -1;
  int port_ = 0;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  bool ending_ = false;
  std::string refusal_;
  std::vector<std::string> heads_;
  std::vector<int> sockets_;  // open until the end
  std::vector<std::thread> threads_;

  std::thread acceptor_;
};

}  // namespace rollcall
