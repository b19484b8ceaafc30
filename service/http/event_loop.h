// One thread that waits for sockets, timers and tasks from other threads. All state of the HTTP
// transfers on it, and of the calls that use them, belongs to this thread; others reach it by
// Post().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace rollcall {

class EventLoop {
 public:
  using Clock = std::chrono::steady_clock;
  using Task = absl::AnyInvocable<void()>;
  // Gets the EPOLL* events that came.
  using SocketCallback = std::function<void(uint32_t events)>;
  // Names a timer that has not fired.
  using TimerId = std::pair<Clock::time_point, uint64_t>;

  EventLoop();
  // Runs the tasks that were posted before and the idle ones, then ends the thread.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs `task` on the loop's thread, after those posted before it. From any thread.
  void Post(Task task);

  // The rest is for the loop's own thread.

  // Calls `task` once, after `delay`.
  TimerId After(std::chrono::milliseconds delay, Task task);
  // Does nothing for a timer that has fired.
  void Cancel(const TimerId& timer);

  // Calls `task` once, when there is nothing else to do, or a millisecond later even so: for what
  // is better done for many events at once. One that still waits when the loop ends is called then.
  void WhenIdle(Task task);

  // Calls `callback` whenever `socket` has one of the EPOLL* `events`, in place of what was asked
  // before.
  void Watch(int socket, uint32_t events, SocketCallback callback);
  void Unwatch(int socket);

 private:
  void Run();
  void RunTasks();
  void RunTimers();
  void RunIdleTasks();
  bool IsOver();
  int MillisecondsToNextTimer() const;

  const int epoll_;
  const int wakeup_;  // an eventfd

  std::mutex mutex_;
  std::vector<Task> tasks_;  // guarded by mutex_
  bool stopping_ = false;    // guarded by mutex_

  // Of the loop's thread.
  std::map<TimerId, Task> timers_;
  uint64_t next_timer_ = 0;
  std::map<int, SocketCallback> sockets_;
  std::vector<Task> idle_tasks_;
  Clock::time_point idle_tasks_due_;  // of the first of them

  std::thread thread_;
};

}  // namespace rollcall
