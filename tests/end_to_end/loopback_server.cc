#include "tests/end_to_end/loopback_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rollcall {

namespace {

int MakeSocket(int receive_buffer_bytes) {
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer_bytes > 0) {
    setsockopt(made, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(receive_buffer_bytes));
  }
  return made;
}

}  // namespace

LoopbackServer::LoopbackServer(std::function<void(int socket)> serve, int receive_buffer_bytes)
    : serve_(std::move(serve)),
      listener_(MakeSocket(receive_buffer_bytes)),
      port_(ListenOnLoopback(listener_)),
      acceptor_([this] { Accept(); }) {}

LoopbackServer::~LoopbackServer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
  }
  shutdown(listener_, SHUT_RDWR);  // makes accept() return
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  for (const int socket : sockets_) close(socket);
  close(listener_);
}

std::string LoopbackServer::url() const { return absl::StrCat("http://127.0.0.1:", port_); }

std::size_t LoopbackServer::connections() const {
  const std::lock_guard lock(mutex_);
  return threads_.size();
}

bool LoopbackServer::Keep(int socket) {
  const std::lock_guard lock(mutex_);
  sockets_.push_back(socket);
  if (ending_) shutdown(socket, SHUT_RDWR);
  return !ending_;
}

void LoopbackServer::Accept() {
  while (true) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0 || !Keep(socket)) return;
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([this, socket] { serve_(socket); });
  }
}

int ListenOnLoopback(int socket) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(socket, SOMAXCONN) != 0 ||
      getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot listen on a port of 127.0.0.1");
  }
  return ntohs(address.sin_port);
}

std::optional<std::string> ReadHead(int socket) {
  std::string head;
  std::array<char, 4096> bytes{};
  while (!absl::StrContains(head, "\r\n\r\n")) {
    const ssize_t size = recv(socket, bytes.data(), bytes.size(), 0);
    if (size <= 0) return std::nullopt;
    head.append(bytes.data(), static_cast<std::size_t>(size));
  }
  return head;
}

bool SendAll(int socket, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

}  // namespace rollcall
