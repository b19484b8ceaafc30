// A scheduler whose clock the test advances. Runs on the test's thread.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <utility>

#include "service/http/scheduler.h"

namespace rollcall::service {

class FakeScheduler final : public Scheduler {
 public:
  void Post(Task task) override { posted_.push_back(std::move(task)); }
  Clock::time_point Now() const override { return now_; }

  // Runs everything that is due: timers, posted tasks, and idle tasks when nothing else is left.
  void Run() {
    while (RunNext()) {
    }
  }

  // Advances the clock, and runs each timer at its time.
  void Advance(std::chrono::milliseconds time) {
    const Clock::time_point end = now_ + time;
    Run();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      now_ = timers_.begin()->first.first;
      Run();
    }
    now_ = end;
  }

  // Advances the clock to the next timer, and runs what is due. False if there is no timer.
  bool AdvanceToNextTimer() {
    Run();
    if (timers_.empty()) return false;
    now_ = timers_.begin()->first.first;
    Run();
    return true;
  }

  bool has_timers() const { return !timers_.empty(); }

 private:
  TimerId StartTimer(std::chrono::milliseconds delay, Task task) override {
    const TimerId id{now_ + delay, next_id_++};
    timers_.emplace(id, std::move(task));
    return id;
  }
  void CancelTimer(const TimerId& timer) override { timers_.erase(timer); }
  IdleId StartIdleTask(Task task) override {
    idle_tasks_.emplace(next_id_, std::move(task));
    return next_id_++;
  }
  void CancelIdleTask(IdleId task) override { idle_tasks_.erase(task); }

  bool RunNext() {
    Task task;
    if (!timers_.empty() && timers_.begin()->first.first <= now_) {
      task = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
    } else if (!posted_.empty()) {
      task = std::move(posted_.front());
      posted_.pop_front();
    } else if (!idle_tasks_.empty()) {
      task = std::move(idle_tasks_.begin()->second);
      idle_tasks_.erase(idle_tasks_.begin());
    } else {
      return false;
    }
    task();
    return true;
  }

  Clock::time_point now_ = Clock::now();
  std::deque<Task> posted_;
  std::map<TimerId, Task> timers_;
  std::map<IdleId, Task> idle_tasks_;
  uint64_t next_id_ = 0;
};

}  // namespace rollcall::service
