#include "tests/end_to_end/hostile_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rollcall {

bool HostileServer::Peer::Send(absl::string_view bytes) const {
  return SendOver(bytes, bytes.size()) == bytes.size();
}

std::size_t HostileServer::Peer::SendOver(absl::string_view piece, std::size_t total) const {
  std::size_t sent = 0;
  while (sent < total) {
    const std::size_t at = sent % piece.size();
    const ssize_t size =
        send(socket_, piece.data() + at, std::min(piece.size() - at, total - sent), MSG_NOSIGNAL);
    if (size <= 0) break;
    sent += static_cast<std::size_t>(size);
  }
  return sent;
}

HostileServer::HostileServer(Answer answer) : answer_(std::move(answer)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, SOMAXCONN) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no port for a hostile server");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

HostileServer::~HostileServer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
  }
  shutdown(listener_, SHUT_RDWR);  // which ends accept()
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  for (const int socket : sockets_) close(socket);
  close(listener_);
}

std::string HostileServer::url() const { return absl::StrCat("http://127.0.0.1:", port_); }

void HostileServer::SetAnswer(Answer answer) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
}

std::size_t HostileServer::connections() const {
  const std::lock_guard lock(mutex_);
  return sockets_.size();
}

std::vector<std::string> HostileServer::heads() const {
  const std::lock_guard lock(mutex_);
  return heads_;
}

void HostileServer::Accept() {
  while (true) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (ending_ || socket < 0) {
      if (socket >= 0) close(socket);
      return;
    }
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket] { Serve(socket); });
  }
}

void HostileServer::Serve(int socket) {
  std::string head;
  std::array<char, 4096> bytes{};
  while (!absl::StrContains(head, "\r\n\r\n")) {
    const ssize_t size = recv(socket, bytes.data(), bytes.size(), 0);
    if (size <= 0) return;
    head.append(bytes.data(), static_cast<std::size_t>(size));
  }
  Answer answer;
  {
    const std::lock_guard lock(mutex_);
    heads_.push_back(head);
    answer = answer_;
  }
  answer(Peer(socket));
  shutdown(socket, SHUT_RDWR);
}

}  // namespace rollcall
