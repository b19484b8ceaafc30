#include "service/net/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace rollcall::service {
namespace {

constexpr absl::string_view kScheme = "unix:";

}  // namespace

bool IsUnixSocketAddress(absl::string_view text) {
  // sun_path also holds the byte that ends the path.
  return absl::ConsumePrefix(&text, kScheme) && text.size() < sizeof(sockaddr_un::sun_path) &&
         absl::StartsWith(text, "/") && !absl::EndsWith(text, "/") &&
         !absl::StrContains(text, '\0');
}

absl::Status CheckUnixSocketIsFree(absl::string_view address) {
  const std::string path(absl::StripPrefix(address, kScheme));
  struct stat file {};
  if (lstat(path.c_str(), &file) != 0) return absl::OkStatus();  // If not, listening fails.
  if (!S_ISSOCK(file.st_mode)) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", address, ": the path is a file that is not a socket"));
  }
  sockaddr_un peer{};
  peer.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), peer.sun_path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return absl::OkStatus();
  const bool is_unused =
      connect(fd, reinterpret_cast<sockaddr*>(&peer), sizeof(peer)) != 0 && errno == ECONNREFUSED;
  close(fd);
  if (is_unused) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      "cannot listen on ", address, ": another process listens there, or owns the socket"));
}

}  // namespace rollcall::service
