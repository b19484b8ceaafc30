#include "service/rpc/accept_probe.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace rollcall::service {
namespace {

// How long a connection waits for a reaction of the server, and how often that looks whether the
// probe is being stopped.
constexpr std::chrono::milliseconds kPatience{5000};
constexpr std::chrono::milliseconds kStep{100};

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;  // 0 if the text is not an address
};

Address Parse(absl::string_view text) {
  Address address;
  if (absl::ConsumePrefix(&text, "unix:")) {
    sockaddr_un socket{};
    socket.sun_family = AF_UNIX;
    text.copy(socket.sun_path, sizeof(socket.sun_path) - 1);
    std::memcpy(&address.storage, &socket, sizeof(socket));
    address.size = sizeof(socket);
    return address;
  }
  const size_t colon = text.rfind(':');
  absl::string_view host = text.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  // Both wildcards include this address; "::" even on machines without IPv6.
  if (host == "::" || host == "0.0.0.0") host = "127.0.0.1";
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port(text.substr(colon + 1));
  if (getaddrinfo(std::string(host).c_str(), port.c_str(), &hints, &found) != 0) return address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

}  // namespace

AcceptProbe::AcceptProbe(std::string address, std::chrono::milliseconds interval)
    : address_(std::move(address)),
      interval_(interval),
      accepted_(Clock::now().time_since_epoch().count()),
      thread_([this] { Run(); }) {}

AcceptProbe::~AcceptProbe() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::chrono::milliseconds AcceptProbe::Silence() const {
  const Clock::time_point accepted{Clock::duration(accepted_)};
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - accepted);
}

void AcceptProbe::Run() {
  while (!stopping_) {
    if (IsAccepted()) accepted_ = Clock::now().time_since_epoch().count();
    const MutexLock lock(mutex_);
    wake_.wait_for(mutex_, interval_, [this] { return stopping_.load(); });
  }
}

// The kernel completes a connection before the server accepts it. So waits for a reaction: without
// TLS the server sends its HTTP/2 settings; with TLS it closes a connection without a handshake.
bool AcceptProbe::IsAccepted() const {
  const Address address = Parse(address_);
  const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const auto* const peer = reinterpret_cast<const sockaddr*>(&address.storage);
  bool accepted = false;
  if (connect(fd, peer, address.size) == 0 || errno == EINPROGRESS) {
    bool is_connected = false;
    const Clock::time_point end = Clock::now() + kPatience;
    while (!stopping_ && !accepted && Clock::now() < end) {
      pollfd events{fd, static_cast<short>(is_connected ? POLLIN : POLLOUT), 0};
      if (poll(&events, 1, static_cast<int>(kStep.count())) <= 0) continue;
      if (is_connected) {
        accepted = true;
      } else if ((events.revents & (POLLERR | POLLHUP)) != 0) {
        break;
      } else {
        is_connected = true;
        shutdown(fd, SHUT_WR);
      }
    }
  }
  close(fd);
  return accepted;
}

}  // namespace rollcall::service
