#include "service/http/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <system_error>
#include <utility>

namespace rollcall::service {
namespace {

// How long an idle task waits on a busy loop, plus one round of the loop.
constexpr std::chrono::milliseconds kMaxIdleWait{1};

int Checked(int descriptor, const char* what) {
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), what);
  return descriptor;
}

}  // namespace

EventLoop::EventLoop()
    : epoll_(Checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wakeup_(Checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wakeup_;
  Checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup_, &event), "epoll_ctl");
  thread_ = std::thread([this] { Run(); });
}

EventLoop::~EventLoop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  eventfd_write(wakeup_, 1);
  thread_.join();
  close(wakeup_);
  close(epoll_);
}

void EventLoop::Post(Task task) {
  bool was_empty;
  {
    const MutexLock lock(mutex_);
    was_empty = tasks_.empty();
    tasks_.push_back(std::move(task));
  }
  if (was_empty) eventfd_write(wakeup_, 1);
}

EventLoop::TimerId EventLoop::StartTimer(std::chrono::milliseconds delay, Task task) {
  assert(IsOnLoopThread());
  const TimerId id{Now() + delay, next_timer_++};
  timers_.emplace(id, std::move(task));
  return id;
}

void EventLoop::CancelTimer(const TimerId& timer) {
  assert(IsOnLoopThread());
  timers_.erase(timer);
}

EventLoop::IdleId EventLoop::StartIdleTask(Task task) {
  assert(IsOnLoopThread());
  if (idle_tasks_.empty()) idle_tasks_due_ = Now() + kMaxIdleWait;
  idle_tasks_.emplace(next_idle_task_, std::move(task));
  return next_idle_task_++;
}

void EventLoop::CancelIdleTask(IdleId task) {
  assert(IsOnLoopThread());
  idle_tasks_.erase(task);
}

void EventLoop::Watch(int socket, uint32_t events, SocketCallback callback) {
  assert(IsOnLoopThread());
  epoll_event event{};
  event.events = events;
  event.data.fd = socket;
  // A closed descriptor leaves the epoll set, so a new one with the same number must be added.
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, socket, &event) != 0) {
    epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
  }
  sockets_[socket] = std::move(callback);
}

void EventLoop::Unwatch(int socket) {
  assert(IsOnLoopThread());
  epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr);
  sockets_.erase(socket);
}

void EventLoop::Run() {
  thread_id_ = std::this_thread::get_id();
  std::array<epoll_event, 64> events{};
  while (true) {
    RunTimers();
    const int timeout = MillisecondsToNextTimer();
    const bool idle_tasks_wait = !idle_tasks_.empty();
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                 idle_tasks_wait ? 0 : timeout);
    const bool idle = count == 0 && timeout != 0;
    if (idle_tasks_wait && (idle || Clock::now() >= idle_tasks_due_)) RunIdleTasks();
    for (int i = 0; i < count; ++i) {
      const int socket = events[i].data.fd;
      if (socket == wakeup_) {
        eventfd_t ignored;
        eventfd_read(wakeup_, &ignored);
        continue;
      }
      const auto found = sockets_.find(socket);
      if (found == sockets_.end()) continue;
      // Copied, because the callback may watch or unwatch its own socket.
      const SocketCallback callback = found->second;
      callback(events[i].events);
    }
    RunTasks();
    if (IsOver()) break;
  }
  RunIdleTasks();
}

bool EventLoop::IsOver() {
  const MutexLock lock(mutex_);
  return stopping_ && tasks_.empty();
}

void EventLoop::RunTasks() {
  std::vector<Task> tasks;
  {
    const MutexLock lock(mutex_);
    tasks.swap(tasks_);
  }
  for (Task& task : tasks) task();
}

void EventLoop::RunIdleTasks() {
  // Idle tasks that these start wait for the next round. One may cancel another.
  const IdleId end = next_idle_task_;
  while (!idle_tasks_.empty() && idle_tasks_.begin()->first < end) {
    Task task = std::move(idle_tasks_.begin()->second);
    idle_tasks_.erase(idle_tasks_.begin());
    task();
  }
  idle_tasks_due_ = Now() + kMaxIdleWait;
}

void EventLoop::RunTimers() {
  const Clock::time_point now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    Task task = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    task();
  }
}

int EventLoop::MillisecondsToNextTimer() const {
  if (timers_.empty()) return -1;
  const auto left = timers_.begin()->first.first - Clock::now();
  // Rounded up, so that the loop does not wake up early and wait again.
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::clamp<int64_t>(milliseconds, 0, std::numeric_limits<int>::max()));
}

}  // namespace rollcall::service
