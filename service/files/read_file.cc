#include "service/files/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace rollcall::service {

namespace {

using FilePointer = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

absl::StatusOr<std::string> ReadAll(std::FILE* file, std::size_t max_bytes) {
  std::string text(max_bytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  if (std::ferror(file) != 0) return absl::ErrnoToStatus(errno, "cannot read the file");
  if (text.size() > max_bytes) {
    explicit_bzero(text.data(), text.size());
    return absl::InvalidArgumentError(
        absl::StrCat("the file must not be longer than ", max_bytes, " bytes"));
  }
  return text;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  const FilePointer file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (file == nullptr) return absl::ErrnoToStatus(errno, "cannot open the file");
  return ReadAll(file.get(), max_bytes);
}

absl::StatusOr<std::string> ReadRegularFile(const std::string& path, std::size_t max_bytes) {
  // O_NONBLOCK: opening a pipe would wait for a writer.
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, "cannot open the file");
  const FilePointer file(fdopen(descriptor, "rb"), std::fclose);
  if (file == nullptr) return absl::ErrnoToStatus(errno, "cannot open the file");
  struct stat status {};
  if (fstat(descriptor, &status) != 0) return absl::ErrnoToStatus(errno, "cannot read the file");
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
    return absl::InvalidArgumentError("is not a regular file");
  }
  return ReadAll(file.get(), max_bytes);
}

absl::Status AtPath(const std::string& path, const absl::Status& error) {
  const std::string prefix = absl::StrCat(path, ": ");
  return absl::Status(
      error.code(),
      absl::StrCat(prefix,
                   absl::StrReplaceAll(error.message(), {{"\n", absl::StrCat("\n", prefix)}})));
}

}  // namespace rollcall::service
