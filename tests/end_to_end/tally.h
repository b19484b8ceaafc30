// A counter that a thread can wait for. Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace rollcall {

class Tally {
 public:
  void Add(int64_t number = 1) {
    const std::lock_guard lock(mutex_);
    count_ += number;
    changed_.notify_all();
  }

  // Waits until the count is at least `count`.
  void WaitFor(int64_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t count_ = 0;
};

}  // namespace rollcall
