// When timers and idle tasks run, and their cancellation.
#include "service/http/scheduler.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "tests/fakes/fake_scheduler.h"

namespace rollcall::service {
namespace {

using std::chrono::milliseconds;

class SchedulerTest : public ::testing::Test {
 protected:
  // Appends `name` to order_ when it runs.
  Scheduler::Task Note(const std::string& name) {
    return [this, name] { order_ += name + " "; };
  }

  FakeScheduler scheduler_;
  std::string order_;
};

TEST_F(SchedulerTest, TimerRunsOnceAfterItsDelay) {
  Timer timer(scheduler_);
  timer.Start(milliseconds(10), Note("timer"));
  EXPECT_TRUE(timer.is_waiting());
  scheduler_.Advance(milliseconds(9));
  EXPECT_EQ(order_, "");
  scheduler_.Advance(milliseconds(1));
  EXPECT_EQ(order_, "timer ");
  EXPECT_FALSE(timer.is_waiting());
  scheduler_.Advance(milliseconds(100));
  EXPECT_EQ(order_, "timer ");
}

TEST_F(SchedulerTest, TimerRunsOnlyItsLatestTask) {
  Timer timer(scheduler_);
  timer.Start(milliseconds(1), Note("first"));
  timer.Start(milliseconds(2), Note("second"));
  scheduler_.Advance(milliseconds(10));
  EXPECT_EQ(order_, "second ");
}

TEST_F(SchedulerTest, TimerCanBeRestartedByItsTask) {
  Timer timer(scheduler_);
  timer.Start(milliseconds(1), [&] {
    order_ += "first ";
    timer.Start(milliseconds(1), Note("second"));
  });
  scheduler_.Advance(milliseconds(1));
  EXPECT_EQ(order_, "first ");
  EXPECT_TRUE(timer.is_waiting());
  scheduler_.Advance(milliseconds(1));
  EXPECT_EQ(order_, "first second ");
}

TEST_F(SchedulerTest, StoppedOrDestroyedTimerDoesNotRun) {
  std::optional<Timer> destroyed(scheduler_);
  destroyed->Start(milliseconds(1), Note("destroyed"));
  destroyed.reset();
  Timer stopped(scheduler_);
  stopped.Start(milliseconds(1), Note("stopped"));
  stopped.Stop();
  stopped.Stop();
  scheduler_.Advance(milliseconds(10));
  EXPECT_EQ(order_, "");
}

TEST_F(SchedulerTest, IdleTaskRunsLast) {
  IdleTask idle(scheduler_);
  Timer timer(scheduler_);
  idle.Start(Note("idle"));
  timer.Start(milliseconds(0), Note("timer"));
  scheduler_.Post(Note("task"));
  EXPECT_TRUE(idle.is_waiting());
  scheduler_.Run();
  EXPECT_EQ(order_, "timer task idle ");
  EXPECT_FALSE(idle.is_waiting());
}

TEST_F(SchedulerTest, StoppedDestroyedOrReplacedIdleTaskDoesNotRun) {
  std::optional<IdleTask> destroyed(scheduler_);
  destroyed->Start(Note("destroyed"));
  destroyed.reset();
  IdleTask stopped(scheduler_);
  stopped.Start(Note("stopped"));
  stopped.Stop();
  IdleTask replaced(scheduler_);
  replaced.Start(Note("replaced"));
  replaced.Start(Note("latest"));
  scheduler_.Run();
  EXPECT_EQ(order_, "latest ");
}

TEST_F(SchedulerTest, RunAfterNeedsNoOwner) {
  scheduler_.RunAfter(milliseconds(5), Note("later"));
  scheduler_.Advance(milliseconds(4));
  EXPECT_EQ(order_, "");
  scheduler_.Advance(milliseconds(1));
  EXPECT_EQ(order_, "later ");
}

TEST_F(SchedulerTest, DeletesAfterPostedTasks) {
  struct Object {
    explicit Object(std::string& text) : order(text) {}
    ~Object() { order += "deleted "; }
    std::string& order;
  };
  scheduler_.Post(Note("task"));
  scheduler_.DeleteLater(std::make_unique<Object>(order_));
  scheduler_.DeleteLater(std::unique_ptr<Object>());
  EXPECT_EQ(order_, "");
  scheduler_.Run();
  EXPECT_EQ(order_, "task deleted ");
}

}  // namespace
}  // namespace rollcall::service
