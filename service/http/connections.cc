#include "service/http/connections.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <optional>

#include "absl/hash/hash.h"

namespace rollcall::service {
namespace {

// Reads one end with getsockname() or getpeername(). False if the socket has none, or its address
// is neither IPv4 nor IPv6.
bool ReadEnd(int socket, int (*get_name)(int, sockaddr*, socklen_t*), std::string& ip, int& port) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (get_name(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* number = nullptr;
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    number = &v4.sin_addr;
    port = ntohs(v4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    number = &v6.sin6_addr;
    port = ntohs(v6.sin6_port);
  } else {
    return false;
  }
  if (inet_ntop(address.ss_family, number, text.data(), text.size()) == nullptr) return false;
  ip = text.data();
  return true;
}

std::optional<Connections::Ends> EndsOf(int socket) {
  Connections::Ends ends;
  if (!ReadEnd(socket, &getsockname, ends.local_ip, ends.local_port) ||
      !ReadEnd(socket, &getpeername, ends.remote_ip, ends.remote_port)) {
    return std::nullopt;
  }
  return ends;
}

}  // namespace

size_t Connections::Hash::operator()(const Ends& ends) const {
  return absl::HashOf(ends.local_ip, ends.local_port, ends.remote_ip, ends.remote_port);
}

void Connections::Opened(int socket) {
  Closed(socket);
  unidentified_.insert(socket);
}

void Connections::Closed(int socket) {
  unidentified_.erase(socket);
  const auto ends = ends_.find(socket);
  if (ends == ends_.end()) return;
  const auto connection = connected_.find(ends->second);
  connection->second->socket = -1;
  connected_.erase(connection);
  ends_.erase(ends);
}

std::shared_ptr<Connection> Connections::Find(const Ends& ends) {
  if (const auto found = connected_.find(ends); found != connected_.end()) return found->second;
  for (const int socket : unidentified_) {
    if (EndsOf(socket) != ends) continue;
    unidentified_.erase(socket);
    ends_.emplace(socket, ends);
    return connected_.emplace(ends, std::make_shared<Connection>(Connection{socket})).first->second;
  }
  return nullptr;
}

}  // namespace rollcall::service
