#include "tests/end_to_end/connect_proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <stdexcept>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rollcall {
namespace {

sockaddr_in Local(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

bool SendAll(int socket, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

// Passes on what one has to say; false once it has ended, or the other takes no more.
bool Pass(int from, int to) {
  std::array<char, 16384> bytes;
  const ssize_t size = recv(from, bytes.data(), bytes.size(), 0);
  return size > 0 && SendAll(to, absl::string_view(bytes.data(), static_cast<size_t>(size)));
}

// The port of "CONNECT host:port HTTP/1.1".
int PortOf(absl::string_view head) {
  const absl::string_view target = head.substr(0, head.find(" HTTP/"));
  int port = 0;
  return absl::SimpleAtoi(target.substr(target.rfind(':') + 1), &port) ? port : 0;
}

}  // namespace

ConnectProxy::ConnectProxy() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = Local(0);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, SOMAXCONN) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no port for a proxy");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

ConnectProxy::~ConnectProxy() {
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

std::string ConnectProxy::url() const { return absl::StrCat("http://127.0.0.1:", port_); }

void ConnectProxy::Refuse(const std::string& status) {
  const std::lock_guard lock(mutex_);
  refusal_ = status;
}

std::vector<std::string> ConnectProxy::heads() const {
  const std::lock_guard lock(mutex_);
  return heads_;
}

bool ConnectProxy::Keep(int socket) {
  const std::lock_guard lock(mutex_);
  sockets_.push_back(socket);
  if (ending_) shutdown(socket, SHUT_RDWR);
  return !ending_;
}

void ConnectProxy::Accept() {
  while (true) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0 || !Keep(client)) return;
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([this, client] { Serve(client); });
  }
}

void ConnectProxy::Serve(int client) {
  std::string head;
  char byte = 0;
  while (!absl::EndsWith(head, "\r\n\r\n")) {
    if (recv(client, &byte, 1, 0) != 1) return;
    head.push_back(byte);
  }
  std::string refusal;
  {
    const std::lock_guard lock(mutex_);
    heads_.push_back(head);
    refusal = refusal_;
  }
  if (!refusal.empty()) {
    SendAll(client, absl::StrCat("HTTP/1.1 ", refusal, "\r\nContent-Length: 0\r\n\r\n"));
    shutdown(client, SHUT_RDWR);
    return;
  }
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Local(PortOf(head));
  if (!Keep(server)) return;
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      SendAll(client, "HTTP/1.1 200 Connection established\r\n\r\n")) {
    std::array<pollfd, 2> ends{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    bool open = true;
    while (open && poll(ends.data(), ends.size(), -1) > 0) {
      if (ends[0].revents != 0) open = Pass(client, server);
      if (open && ends[1].revents != 0) open = Pass(server, client);
    }
  }
  shutdown(client, SHUT_RDWR);
  shutdown(server, SHUT_RDWR);
}

}  // namespace rollcall
