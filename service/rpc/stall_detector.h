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

namespace rollcall {

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
    const Progress progress = progress_();
    const bool is_pending = progress.is_writing && progress.written == last_written_;
    polls_pending_ = is_pending ? polls_pending_ + 1 : 0;
    last_written_ = progress.written;
    if (polls_pending_ == kPolls) return on_stall_();
    WaitForPoll();
  }

  Timer timer_;
  std::chrono::milliseconds interval_{};
  std::function<Progress()> progress_;
  std::function<void()> on_stall_;
  uint64_t last_written_ = 0;
  int polls_pending_ = 0;  // in a row
};

}  // namespace rollcall
