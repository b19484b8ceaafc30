// Notices that files have other content than before: secrets and policies that are changed while
// the service runs. Looks at each file once in a while rather than asking the kernel to tell, which
// would not see a file that is reached through symbolic links, as Kubernetes mounts them, or over a
// network. Made by the server, which hands it to those who have files; callbacks come on a thread
// of its own.
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

namespace rollcall {

class FileWatch {
 public:
  // Gets the whole new text, which is overwritten on return; or why there is none, in words that
  // name neither path nor content. A failure is told once, and then again only if another follows
  // it; the text that comes after it is told even if it is the old one.
  using OnChange = std::function<void(const absl::StatusOr<std::string>& text)>;

  explicit FileWatch(std::chrono::milliseconds interval = std::chrono::seconds(1))
      : interval_(interval) {}
  // Waits for a callback that runs.
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  // Watches the file at `path`, whose content was `text` when it was read last; where nobody knows,
  // the first looks tell it. New content is told when two looks in a row have found it, since a
  // file may be written in pieces. A file that grows over `max_bytes` is a failure. What was a pipe
  // or a device from the beginning is read by nobody a second time, and so never changes; a file
  // that becomes one is a failure. `on_change` must not call the watch. From any thread.
  void Add(std::string path, std::size_t max_bytes, std::optional<absl::string_view> text,
           OnChange on_change);

 private:
  using Digest = std::array<unsigned char, 32>;

  // What changes with a file's content, though not with every write: clocks tick.
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
    std::optional<Digest> digest;  // of the text that was told last
    std::optional<Digest> coming;  // of another, which the last look found
    std::optional<Stamp> stamp;    // when it was read last
    // Whether the next look reads it, even if the stamp is the same: a write that follows another
    // within a tick does not show in it.
    bool read_again = true;
    std::string failure;  // that was told last; empty where the text was
  };

  static Digest DigestOf(absl::string_view text);
  void Run();
  static void LookAt(File& file);
  static void TellFailure(File& file, const absl::Status& failure);

  const std::chrono::milliseconds interval_;

  Mutex mutex_;
  std::condition_variable_any stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::list<File> files_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // started under mutex_ with the first file
};

}  // namespace rollcall
