// What an event loop does first, and what it leaves for when it has nothing else to do.
#include "service/http/event_loop.h"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <string>

namespace rollcall {
namespace {

using std::chrono::milliseconds;

// What a loop of its own makes of an idle task and others that one task gives it.
struct Round {
  std::string order;
  std::chrono::steady_clock::duration idle_waited{};
};

Round RunRound() {
  Round round;
  std::promise<void> idle_done;
  std::promise<void> task_done;
  {
    EventLoop loop;
    loop.Post([&] {
      const auto begin = std::chrono::steady_clock::now();
      loop.WhenIdle([&, begin] {
        round.idle_waited = std::chrono::steady_clock::now() - begin;
        round.order += "idle ";
        idle_done.set_value();
      });
      loop.After(milliseconds(0), [&] { round.order += "timer "; });
      loop.Post([&] {
        round.order += "task ";
        task_done.set_value();
      });
      loop.After(std::chrono::hours(1), [&] { round.order += "later "; });
    });
    idle_done.get_future().wait();
    task_done.get_future().wait();
  }
  return round;
}

TEST(EventLoop, RunsIdleTasksBehindAllThatIsDue) {
  // After a millisecond an idle task is due as well, and a slow machine may take that long.
  Round round = RunRound();
  for (int i = 0; i < 100 && round.idle_waited >= milliseconds(1); ++i) round = RunRound();
  EXPECT_EQ(round.order, "timer task idle ");
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
