#include "service/rpc/memory_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"

namespace rollcall::service {
namespace {

bool WriteAll(int fd, const std::string& content) {
  size_t written = 0;
  while (written < content.size()) {
    const ssize_t count = write(fd, content.data() + written, content.size() - written);
    if (count < 0 && errno != EINTR) return false;
    if (count > 0) written += static_cast<size_t>(count);
  }
  return true;
}

}  // namespace

MemoryFile::~MemoryFile() {
  if (fd_ >= 0) close(fd_);
  if (prepared_ >= 0) close(prepared_);
}

absl::Status MemoryFile::Prepare(const std::string& content) {
  const int fd = memfd_create("rollcalld", MFD_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, "cannot create a file in memory");
  // gRPC compares modification times in whole seconds.
  const int64_t version = std::max<int64_t>(version_ + 1, std::time(nullptr));
  const timespec time{version, 0};
  const timespec times[] = {time, time};
  if (!WriteAll(fd, content) || futimens(fd, times) != 0) {
    absl::Status status = absl::ErrnoToStatus(errno, "cannot write a file in memory");
    close(fd);
    return status;
  }
  if (prepared_ >= 0) close(prepared_);
  prepared_ = fd;
  version_ = version;
  return absl::OkStatus();
}

void MemoryFile::Replace() {
  const int fd = std::exchange(prepared_, -1);
  if (fd_ < 0) {
    fd_ = fd;
    return;
  }
  // Keeps the descriptor's number, and so the path. With two open descriptors, only a signal can
  // make this fail.
  while (dup3(fd, fd_, O_CLOEXEC) < 0 && errno == EINTR) {
  }
  close(fd);
}

std::string MemoryFile::path() const { return absl::StrCat("/proc/self/fd/", fd_); }

}  // namespace rollcall::service
