// For tests that need more open files than their initial soft limit.
#pragma once

#include <sys/resource.h>

#include <algorithm>

namespace rollcall {

// Raises this process's soft limit to at least this many. False if the hard limit is lower.
inline bool AllowOpenFiles(rlim_t count) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_max < count) return false;
  files.rlim_cur = std::max(files.rlim_cur, count);
  return setrlimit(RLIMIT_NOFILE, &files) == 0;
}

}  // namespace rollcall
