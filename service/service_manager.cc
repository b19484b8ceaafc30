#include "service/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rollcall::service {
namespace {

void Tell(absl::string_view message) {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr) return;
  const absl::string_view name = path;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() < 2 || name.size() >= sizeof(address.sun_path)) return;
  std::copy(name.begin(), name.end(), address.sun_path);
  // "@" stands for the NUL of an abstract socket address.
  if (name.front() == '@') address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  sendto(fd, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address),
         static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size()));
  close(fd);
}

}  // namespace

void TellServiceManagerReady() { Tell("READY=1"); }

void TellServiceManagerStopping(std::chrono::milliseconds longest) {
  const std::chrono::microseconds microseconds = longest;
  Tell(absl::StrCat("STOPPING=1\nEXTEND_TIMEOUT_USEC=", microseconds.count()));
}

}  // namespace rollcall::service
