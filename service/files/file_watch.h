// Watches files, such as secrets and the policy, and reports new content while the service runs. It
// polls instead of using inotify, which does not see changes through symbolic links, as Kubernetes
// mounts files, nor over a network. Callbacks come on a thread of its own.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/sync/mutex.h"

namespace rollcall::service {

class FileWatch {
 public:
  // Gets the whole new text, which is overwritten on return, or an error that names neither path
  // nor content. An error is reported once, and again only after a different one. The text after
  // an error is reported even if it is the old one.
  using OnChange = std::function<void(const absl::StatusOr<std::string>& text)>;

  explicit FileWatch(std::chrono::milliseconds interval = std::chrono::seconds(1))
      : interval_(interval) {}
  // Waits for a running callback.
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  // Watches the file at `path`, whose content was `text` when it was last read. Without `text`, the
  // first polls report the content. New content is reported when two polls in a row have found it,
  // because a file may be written in pieces. A file longer than `max_bytes` is an error. A pipe or
  // device is not read again, so it never changes; a file that is replaced by one is an error.
  // `on_change` must not call the watch. May be called from any thread.
  void Add(std::string path, std::size_t max_bytes, std::optional<absl::string_view> text,
           OnChange on_change);

 private:
  using Digest = std::array<unsigned char, 32>;

  // Changes with a file's content, except for two writes within one tick of the clock.
  struct Stamp {
    std::uint64_t device;
    std::uint64_t inode;
    std::int64_t size;
    std::int64_t modified_seconds;
    std::int64_t modified_nanoseconds;
    std::int64_t changed_seconds;
    std::int64_t changed_nanoseconds;
    bool operator==(const Stamp&) const = default;
  };

  struct File {
    std::string path;
    std::size_t max_bytes;
    OnChange on_change;
    std::optional<Digest> digest;     // of the text that was last reported
    std::optional<Digest> candidate;  // of a different text, which the last poll found
    std::optional<Stamp> stamp;       // when the file was last read
    // Read the file at the next poll even if the stamp is the same, because a second write within
    // one tick does not change it.
    bool read_again = true;
    std::string failure;  // that was last reported; empty if a text was
  };

  static Digest DigestOf(absl::string_view text);
  void Run();
  static void Poll(File& file);
  static void ReportFailure(File& file, const absl::Status& failure);

  const std::chrono::milliseconds interval_;

  Mutex mutex_;
  std::condition_variable_any stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::list<File> files_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // started under mutex_ with the first file
};

}  // namespace rollcall::service
