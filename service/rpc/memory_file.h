// A file that is in memory only and is reached by a path, for libraries that read files and nothing
// else. Used by the certificates of the server; on one thread at a time, while others may read.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace rollcall {

class MemoryFile {
 public:
  MemoryFile() = default;
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  // Puts new content beside that which path() has. Where that fails nothing changes.
  absl::Status Prepare(const std::string& content);

  // Puts the content that was prepared in place of the other: who opens path() finds the one or the
  // other, and another time of modification with each.
  void Replace();

  // Stays the same once something was put there.
  std::string path() const;

 private:
  int fd_ = -1;
  int prepared_ = -1;  // likewise
  int64_t version_ = 0;
};

}  // namespace rollcall
