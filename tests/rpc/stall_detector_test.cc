// When a caller is considered stalled.
#include "service/rpc/stall_detector.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_scheduler.h"

namespace rollcall::service {
namespace {

using std::chrono::milliseconds;

class StallDetectorTest : public ::testing::Test {
 protected:
  StallDetectorTest() {
    detector_.Start(
        milliseconds(1000), [this] { return progress_; }, [this] { ++stalls_; });
  }

  FakeScheduler scheduler_;
  StallDetector detector_{scheduler_};
  StallDetector::Progress progress_{0, false};
  int stalls_ = 0;
};

TEST_F(StallDetectorTest, ReportsAWriteThatStaysPending) {
  progress_ = {0, true};
  scheduler_.Advance(milliseconds(1249));
  EXPECT_EQ(stalls_, 0);
  scheduler_.Advance(milliseconds(1));
  EXPECT_EQ(stalls_, 1);
  EXPECT_FALSE(scheduler_.has_timers());  // once
}

TEST_F(StallDetectorTest, NeverReportsAWriteBeforeTheLimit) {
  scheduler_.Advance(milliseconds(249));
  progress_ = {0, true};
  scheduler_.Advance(milliseconds(1000));
  EXPECT_EQ(stalls_, 0);
  scheduler_.Advance(milliseconds(1));
  EXPECT_EQ(stalls_, 1);
}

TEST_F(StallDetectorTest, DoesNotCountTheTimeBeforeAWrite) {
  progress_ = {7, true};
  scheduler_.Advance(milliseconds(900));
  progress_.is_writing = false;
  scheduler_.Advance(milliseconds(10000));
  progress_.is_writing = true;
  scheduler_.Advance(milliseconds(999));
  EXPECT_EQ(stalls_, 0);
  scheduler_.Advance(milliseconds(251));
  EXPECT_EQ(stalls_, 1);
}

TEST_F(StallDetectorTest, IgnoresACallWithoutAPendingWrite) {
  scheduler_.Advance(milliseconds(100000));
  EXPECT_EQ(stalls_, 0);
}

TEST_F(StallDetectorTest, IgnoresACallerThatReadsSlowly) {
  progress_ = {0, true};
  for (int i = 0; i < 100; ++i) {
    scheduler_.Advance(milliseconds(900));
    ++progress_.written;
  }
  EXPECT_EQ(stalls_, 0);
}

TEST_F(StallDetectorTest, CountsFromTheLastProgress) {
  progress_ = {0, true};
  scheduler_.Advance(milliseconds(900));
  progress_.written = 1;
  scheduler_.Advance(milliseconds(1000));
  EXPECT_EQ(stalls_, 0);
  scheduler_.Advance(milliseconds(250));
  EXPECT_EQ(stalls_, 1);
}

TEST_F(StallDetectorTest, StopsPolling) {
  progress_ = {0, true};
  detector_.Stop();
  scheduler_.Advance(milliseconds(10000));
  EXPECT_EQ(stalls_, 0);
}

}  // namespace
}  // namespace rollcall::service
