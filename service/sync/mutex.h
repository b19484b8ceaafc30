// std::mutex with annotations that clang checks (-Wthread-safety, part of `./dev lint tidy`).
// absl::Mutex has them as well, but Debian's Abseil is built without ThreadSanitizer, which would
// not see its locks and would report races on all data that they guard.
#pragma once

#include <mutex>

#include "absl/base/thread_annotations.h"

namespace rollcall::service {

// Named as the standard library does, so that std::condition_variable_any can wait with it.
class ABSL_LOCKABLE Mutex {
 public:
  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace rollcall::service
