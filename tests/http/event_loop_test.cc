// The order in which an event loop runs timers, tasks and idle tasks, and their cancellation.
#include "service/http/event_loop.h"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <string>

namespace rollcall::service {
namespace {

using std::chrono::milliseconds;

// Runs `task` on the loop's thread, and waits for it.
void RunOn(EventLoop& loop, const std::function<void()>& task) {
  std::promise<void> done;
  loop.Post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

// The order in which a loop runs an idle task and others that one task starts.
struct Round {
  std::string order;
  std::chrono::steady_clock::duration idle_waited{};
};

Round RunRound() {
  Round round;
  std::promise<void> idle_done;
  std::promise<void> task_done;
  EventLoop loop;
  IdleTask idle(loop);
  Timer timer(loop);
  Timer later(loop);
  loop.Post([&] {
    const auto begin = std::chrono::steady_clock::now();
    idle.Start([&, begin] {
      round.idle_waited = std::chrono::steady_clock::now() - begin;
      round.order += "idle ";
      later.Stop();
      idle_done.set_value();
    });
    timer.Start(milliseconds(0), [&] { round.order += "timer "; });
    loop.Post([&] {
      round.order += "task ";
      task_done.set_value();
    });
    later.Start(std::chrono::hours(1), [&] { round.order += "later "; });
  });
  idle_done.get_future().wait();
  task_done.get_future().wait();
  return round;
}

TEST(EventLoop, RunsIdleTasksLast) {
  // An idle task is due after a millisecond at the latest, which can pass on a slow machine.
  Round round = RunRound();
  for (int i = 0; i < 100 && round.idle_waited >= milliseconds(1); ++i) round = RunRound();
  if (round.idle_waited >= milliseconds(1)) GTEST_SKIP() << "the machine is too slow";
  EXPECT_EQ(round.order, "timer task idle ");
}

TEST(EventLoop, RunsIdleTasksOnABusyLoop) {
  std::promise<void> done;
  bool is_done = false;
  std::function<void()> keep_busy;
  EventLoop loop;
  IdleTask idle(loop);
  keep_busy = [&] {
    if (!is_done) loop.Post(keep_busy);
  };
  loop.Post([&] {
    idle.Start([&] {
      is_done = true;
      done.set_value();
    });
    keep_busy();
  });
  done.get_future().wait();
}

TEST(EventLoop, RunsIdleTasksBeforeItIsDestroyed) {
  bool has_run = false;
  auto loop = std::make_unique<EventLoop>();
  IdleTask idle(*loop);
  loop->Post([&] { idle.Start([&] { has_run = true; }); });
  loop.reset();
  EXPECT_TRUE(has_run);
}

TEST(EventLoop, RunsAnIdleTaskStartedByAnIdleTask) {
  std::promise<void> done;
  EventLoop loop;
  IdleTask idle(loop);
  loop.Post([&] { idle.Start([&] { idle.Start([&] { done.set_value(); }); }); });
  done.get_future().wait();
}

TEST(EventLoop, DoesNotRunStoppedTasks) {
  std::string order;
  EventLoop loop;
  Timer timer(loop);
  Timer other_timer(loop);
  IdleTask idle(loop);
  IdleTask other_idle(loop);
  RunOn(loop, [&] {
    timer.Start(milliseconds(0), [&] {
      order += "timer ";
      other_timer.Stop();
    });
    other_timer.Start(milliseconds(0), [&] { order += "stopped timer "; });
    idle.Start([&] {
      order += "idle ";
      other_idle.Stop();
    });
    other_idle.Start([&] { order += "stopped idle "; });
    EXPECT_TRUE(other_timer.is_waiting());
    EXPECT_TRUE(other_idle.is_waiting());
  });
  std::promise<void> done;
  IdleTask last(loop);
  RunOn(loop, [&] { last.Start([&] { done.set_value(); }); });
  done.get_future().wait();
  EXPECT_EQ(order, "timer idle ");
  EXPECT_FALSE(other_timer.is_waiting());
  EXPECT_FALSE(other_idle.is_waiting());
}

TEST(EventLoop, DeletesAfterPostedTasks) {
  std::string order;
  EventLoop loop;
  struct Object {
    ~Object() { order += "deleted "; }
    std::string& order;
  };
  RunOn(loop, [&] {
    loop.Post([&] { order += "task "; });
    loop.DeleteLater(std::make_unique<Object>(order));
    order += "now ";
  });
  RunOn(loop, [] {});
  EXPECT_EQ(order, "now task deleted ");
}

}  // namespace
}  // namespace rollcall::service
