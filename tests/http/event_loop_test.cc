// What an event loop does first, and what it leaves for when it has nothing else to do.
#include "service/http/event_loop.h"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <string>

namespace rollcall {
namespace {

using std::chrono::milliseconds;

TEST(EventLoop, RunsIdleTasksBehindAllThatIsDue) {
  std::string order;
  std::promise<void> done;
  EventLoop loop;
  loop.Post([&] {
    loop.WhenIdle([&] {
      order += "idle ";
      done.set_value();
    });
    loop.After(milliseconds(0), [&] { order += "timer "; });
    loop.Post([&] { order += "task "; });
    loop.After(std::chrono::hours(1), [&] { order += "later "; });
  });
  done.get_future().wait();
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
