#include "service/files/file_watch.h"

#include <openssl/evp.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "service/files/read_file.h"

namespace rollcall::service {

FileWatch::~FileWatch() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void FileWatch::Add(std::string path, std::size_t max_bytes, std::optional<absl::string_view> text,
                    OnChange on_change) {
  const MutexLock lock(mutex_);
  files_.push_back({.path = std::move(path),
                    .max_bytes = max_bytes,
                    .on_change = std::move(on_change),
                    .digest = text ? std::make_optional(DigestOf(*text)) : std::nullopt,
                    .candidate = {},
                    .stamp = {},
                    .read_again = true,
                    .failure = {}});
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
}

// Stored instead of the text, which may be a secret.
FileWatch::Digest FileWatch::DigestOf(absl::string_view text) {
  Digest digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL has no SHA-256");
  }
  return digest;
}

void FileWatch::Run() {
  using Clock = std::chrono::steady_clock;
  const MutexLock lock(mutex_);
  while (!stopping_) {
    const Clock::time_point next = Clock::now() + interval_;
    while (!stopping_ && stop_.wait_until(mutex_, next) == std::cv_status::no_timeout) {
    }
    if (stopping_) return;
    for (File& file : files_) Poll(file);
  }
}

void FileWatch::Poll(File& file) {
  struct stat status {};
  if (stat(file.path.c_str(), &status) != 0) {
    return ReportFailure(file, absl::ErrnoToStatus(errno, "cannot open the file"));
  }
  const bool is_readable_again = S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
  // A pipe since the service started: it cannot be read again.
  if (!is_readable_again && !file.stamp) return;
  const Stamp stamp{
      .device = status.st_dev,
      .inode = status.st_ino,
      .size = status.st_size,
      .modified_seconds = status.st_mtim.tv_sec,
      .modified_nanoseconds = status.st_mtim.tv_nsec,
      .changed_seconds = status.st_ctim.tv_sec,
      .changed_nanoseconds = status.st_ctim.tv_nsec,
  };
  const bool is_same = file.stamp == stamp;
  if (is_same && !file.read_again) return;
  file.read_again = !is_same;
  file.stamp = stamp;

  absl::StatusOr<std::string> text = ReadRegularFile(file.path, file.max_bytes);
  if (!text.ok()) return ReportFailure(file, text.status());
  const Digest digest = DigestOf(*text);
  if (digest == file.digest && file.failure.empty()) {
    file.candidate.reset();
  } else if (digest == file.candidate) {
    file.candidate.reset();
    file.digest = digest;
    file.failure.clear();
    file.on_change(text);
  } else {
    // The writer may not be done: wait for a second poll with the same text.
    file.candidate = digest;
    file.read_again = true;
  }
  explicit_bzero(text->data(), text->size());
}

void FileWatch::ReportFailure(File& file, const absl::Status& failure) {
  // The file may come back unchanged, with the same stamp.
  file.read_again = true;
  if (file.failure == failure.message()) return;
  file.failure = std::string(failure.message());
  file.on_change(failure);
}

}  // namespace rollcall::service
