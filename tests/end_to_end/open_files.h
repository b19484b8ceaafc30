// For tests that need more open files than the soft limit that they are started with.
#pragma once

#include <sys/resource.h>

#include <algorithm>

namespace rollcall {

// Raises the soft limit of this process to at least so many. False where the hard limit is lower.
inline bool AllowOpenFiles(rlim_t count) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_max < count) return false;
  files.rlim_cur = std::max(files.rlim_cur, count);
  return setrlimit(RLIMIT_NOFILE, &files) == 0;
}

}  // namespace rollcall
