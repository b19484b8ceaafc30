#include "tests/end_to_end/connect_proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rollcall {
namespace {

// Forwards what is readable; false once the sender has ended, or the receiver cannot be written to.
bool Pass(int from, int to) {
  std::array<char, 16384> bytes;
  const ssize_t size = recv(from, bytes.data(), bytes.size(), 0);
  return size > 0 && SendAll(to, absl::string_view(bytes.data(), static_cast<size_t>(size)));
}

// The port in "CONNECT host:port HTTP/1.1".
int PortOf(absl::string_view head) {
  const absl::string_view target = head.substr(0, head.find(" HTTP/"));
  int port = 0;
  return absl::SimpleAtoi(target.substr(target.rfind(':') + 1), &port) ? port : 0;
}

}  // namespace

ConnectProxy::ConnectProxy() : server_([this](int client) { Serve(client); }) {}

void ConnectProxy::Refuse(const std::string& status) {
  const std::lock_guard lock(mutex_);
  refusal_ = status;
}

std::vector<std::string> ConnectProxy::heads() const {
  const std::lock_guard lock(mutex_);
  return heads_;
}

void ConnectProxy::Serve(int client) {
  // The client waits for the response, so nothing follows the head.
  const std::optional<std::string> head = ReadHead(client);
  if (!head) return;
  std::string refusal;
  {
    const std::lock_guard lock(mutex_);
    heads_.push_back(*head);
    refusal = refusal_;
  }
  if (!refusal.empty()) {
    SendAll(client, absl::StrCat("HTTP/1.1 ", refusal, "\r\nContent-Length: 0\r\n\r\n"));
    shutdown(client, SHUT_RDWR);
    return;
  }
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(PortOf(*head)));
  if (!server_.Keep(server)) return;
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
