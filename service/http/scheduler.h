// Time and tasks of one thread. EventLoop is the real implementation; tests have one whose clock
// they set. A Timer or IdleTask cancels its task when it is destroyed.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/functional/any_invocable.h"

namespace rollcall::service {

class Scheduler {
 public:
  using Clock = std::chrono::steady_clock;
  using Task = absl::AnyInvocable<void()>;

  Scheduler() = default;
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  virtual ~Scheduler() = default;

  // Runs `task` on the scheduler's thread, after all tasks posted before it. From any thread.
  virtual void Post(Task task) = 0;

  // Deferred deletion: destroys `object` on the scheduler's thread, after all tasks posted before.
  // From any thread.
  template <class T>
  void DeleteLater(std::unique_ptr<T> object) {
    if (object != nullptr) Post([object = std::move(object)]() mutable { object.reset(); });
  }

  // The rest must be called on the scheduler's thread.

  virtual Clock::time_point Now() const = 0;

  // Runs `task` after `delay`. A Timer can be stopped; this cannot.
  void RunAfter(std::chrono::milliseconds delay, Task task) { StartTimer(delay, std::move(task)); }

 protected:
  friend class Timer;
  friend class IdleTask;

  // Identifies a task that has not run; ids grow.
  using TimerId = std::pair<Clock::time_point, uint64_t>;
  using IdleId = uint64_t;

  // See Timer and IdleTask. To cancel a task that has run does nothing.
  virtual TimerId StartTimer(std::chrono::milliseconds delay, Task task) = 0;
  virtual void CancelTimer(const TimerId& timer) = 0;
  virtual IdleId StartIdleTask(Task task) = 0;
  virtual void CancelIdleTask(IdleId task) = 0;
};

// Runs one task at a time, once, after a delay.
class Timer {
 public:
  explicit Timer(Scheduler& scheduler) : scheduler_(scheduler) {}
  ~Timer() { Stop(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Replaces a task that is still waiting.
  void Start(std::chrono::milliseconds delay, Scheduler::Task task) {
    Stop();
    id_ = scheduler_.StartTimer(delay, [this, task = std::move(task)]() mutable {
      id_.reset();
      task();
    });
  }
  void Stop() {
    if (id_) scheduler_.CancelTimer(*std::exchange(id_, std::nullopt));
  }
  bool is_waiting() const { return id_.has_value(); }

 private:
  Scheduler& scheduler_;
  std::optional<Scheduler::TimerId> id_;
};

// Runs one task at a time, once, when nothing else is left to do or a millisecond has passed: for
// work that is cheaper when it is done for several events at once.
class IdleTask {
 public:
  explicit IdleTask(Scheduler& scheduler) : scheduler_(scheduler) {}
  ~IdleTask() { Stop(); }
  IdleTask(const IdleTask&) = delete;
  IdleTask& operator=(const IdleTask&) = delete;

  // Replaces a task that is still waiting.
  void Start(Scheduler::Task task) {
    Stop();
    id_ = scheduler_.StartIdleTask([this, task = std::move(task)]() mutable {
      id_.reset();
      task();
    });
  }
  void Stop() {
    if (id_) scheduler_.CancelIdleTask(*std::exchange(id_, std::nullopt));
  }
  bool is_waiting() const { return id_.has_value(); }

 private:
  Scheduler& scheduler_;
  std::optional<Scheduler::IdleId> id_;
};

}  // namespace rollcall::service
