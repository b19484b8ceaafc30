// What an event loop does first, and what it leaves for when it has nothing else to do.
#include "service/http/event_loop.h"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <string>

namespace rollcall {
namespace {

using std::chrono::milliseconds;

// The order in which a loop of its own runs what one task gives it.
std::string OrderOfTasks() {
  std::string order;
  std::promise<void> idle_done;
  std::promise<void> task_done;
  {
    EventLoop loop;
    loop.Post([&] {
      loop.WhenIdle([&] {
        order += "idle ";
        idle_done.set_value();
      });
      loop.After(milliseconds(0), [&] { order += "timer "; });
      loop.Post([&] {
        order += "task ";
        task_done.set_value();
      });
      loop.After(std::chrono::hours(1), [&] { order += "later "; });
    });
    idle_done.get_future().wait();
    task_done.get_future().wait();
  }
  return order;
}

TEST(EventLoop, RunsIdleTasksBehindAllThatIsDue) {
  // Where the machine takes the loop's turn away for a millisecond, the idle task is due as well.
  std::string order;
  for (int i = 0; i < 100 && order != "timer task idle "; ++i) order = OrderOfTasks();
  EXPECT_EQ(order, "timer task idle ");
}

TEST(EventLoop, RunsIdleTasksWhereItIsNeverIdle) {
  std::promise<void> done;
  bool is_done = false;
  std::function<void()> keep_busy;
  EventLoop loop;
  keep_busy = [&] {
    if (!is_done) loop.Post(keep_busy);
  };
  loop.Post([&] {
    loop.WhenIdle([&] {
      is_done = true;
      done.set_value();
    });
    keep_busy();
  });
  done.get_future().wait();
}

TEST(EventLoop, RunsIdleTasksBeforeItEnds) {
  bool has_run = false;
  {
    EventLoop loop;
    loop.Post([&] { loop.WhenIdle([&] { has_run = true; }); });
  }
  EXPECT_TRUE(has_run);
}

TEST(EventLoop, RunsAnIdleTaskOfAnIdleTask) {
  std::promise<void> done;
  EventLoop loop;
  loop.Post([&] { loop.WhenIdle([&] { loop.WhenIdle([&] { done.set_value(); }); }); });
  done.get_future().wait();
}

}  // namespace
}  // namespace rollcall
