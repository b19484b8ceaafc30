// Notices a caller that has stopped reading: a write has been pending for too long. Polls whether
// the same write is still pending, because timestamping each write would cost every record. On an
// event loop's thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

#include "service/http/scheduler.h"

namespace rollcall::service {

class StallDetector {
 public:
  struct Progress {
    uint64_t written;  // messages so far
    bool is_writing;
  };

  explicit StallDetector(Scheduler& scheduler) : timer_(scheduler) {}

  // Calls `on_stall` once, when a write has been pending for at least `limit`, and at most a
  // quarter longer.
  void Start(std::chrono::milliseconds limit, std::function<Progress()> progress,
             std::function<void()> on_stall) {
    interval_ = std::max(limit / kPolls, std::chrono::milliseconds(1));
    progress_ = std::move(progress);
    on_stall_ = std::move(on_stall);
    WaitForPoll();
  }
  void Stop() { timer_.Stop(); }

 private:
  static constexpr int kPolls = 4;

  void WaitForPoll() {
    timer_.Start(interval_, [this] { Poll(); });
  }

  void Poll() {
    const Progress now = progress_();
    const bool is_same_write = now.is_writing && last_.is_writing && now.written == last_.written;
    polls_pending_ = is_same_write ? polls_pending_ + 1 : 0;
    last_ = now;
    if (polls_pending_ == kPolls) return on_stall_();
    WaitForPoll();
  }

  Timer timer_;
  std::chrono::milliseconds interval_{};
  std::function<Progress()> progress_;
  std::function<void()> on_stall_;
  Progress last_{0, false};
  int polls_pending_ = 0;  // in a row, with the same write
};

}  // namespace rollcall::service
