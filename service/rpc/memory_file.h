// An in-memory file with a path, for libraries that read files only. On one thread at a time; other
// threads may read the path meanwhile.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace rollcall::service {

class MemoryFile {
 public:
  MemoryFile() = default;
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  // Prepares new content. The file does not change until Replace(), nor on failure.
  absl::Status Prepare(const std::string& content);

  // Replaces the content with the prepared one, atomically for readers that open path(). Each
  // content has its own modification time.
  void Replace();

  // Does not change after the first Replace().
  std::string path() const;

 private:
  int fd_ = -1;
  int prepared_ = -1;  // new content, if there is some
  int64_t version_ = 0;
};

}  // namespace rollcall::service
