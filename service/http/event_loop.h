// A thread that waits for sockets, timers and tasks. It owns the state of its HTTP transfers and of
// the calls that use them; other threads reach it with Post().
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "service/http/scheduler.h"
#include "service/sync/mutex.h"

namespace rollcall::service {

class EventLoop final : public Scheduler {
 public:
  // Gets the EPOLL* events that occurred.
  using SocketCallback = std::function<void(uint32_t events)>;

  EventLoop();
  // Runs all posted tasks and the idle tasks, then ends the thread.
  ~EventLoop() override;

  void Post(Task task) override;

  Clock::time_point Now() const override { return Clock::now(); }

  // The rest must be called on the loop's thread, which debug builds assert.

  // Calls `callback` whenever `socket` has one of the EPOLL* `events`. Replaces an earlier watch of
  // the socket.
  void Watch(int socket, uint32_t events, SocketCallback callback);
  void Unwatch(int socket);

 private:
  TimerId StartTimer(std::chrono::milliseconds delay, Task task) override;
  void CancelTimer(const TimerId& timer) override;
  IdleId StartIdleTask(Task task) override;
  void CancelIdleTask(IdleId task) override;

  void Run();
  void RunTasks();
  void RunTimers();
  void RunIdleTasks();
  bool IsOver();
  int MillisecondsToNextTimer() const;
  bool IsOnLoopThread() const { return thread_id_ == std::this_thread::get_id(); }

  const int epoll_;
  const int wakeup_;  // an eventfd

  Mutex mutex_;
  std::vector<Task> tasks_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  // Accessed on the loop's thread only.
  std::map<TimerId, Task> timers_;
  uint64_t next_timer_ = 0;
  std::map<int, SocketCallback> sockets_;
  std::map<IdleId, Task> idle_tasks_;
  IdleId next_idle_task_ = 0;
  Clock::time_point idle_tasks_due_;  // when the first of them must run

  std::atomic<std::thread::id> thread_id_;
  std::thread thread_;
};

}  // namespace rollcall::service
