#include "service/rpc/running_calls.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "service/error/error.h"

namespace rollcall::service {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class Call final : public RunningCalls::Call {
 public:
  void EndWith(const absl::Status& status) override { end = status; }
  RunningCall Describe() const override { return {}; }

  absl::Status end;
};

class RunningCallsTest : public ::testing::Test {
 protected:
  static constexpr size_t kMax = 3;

  // A further call of the caller.
  absl::Status Begin(const std::string& caller = "caller", int max_of_caller = kMax) {
    calls_.push_back(std::make_unique<Call>());
    return running_.Begin(*calls_.back(), caller, max_of_caller);
  }
  void EndLast(const std::string& caller = "caller") { running_.OnEnd(*calls_.back(), caller); }

  RunningCalls running_{kMax};
  std::vector<std::unique_ptr<Call>> calls_;
};

TEST_F(RunningCallsTest, LimitsCallsOfAllCallers) {
  for (size_t i = 0; i < kMax; ++i) ASSERT_TRUE(Begin("caller " + std::to_string(i)).ok());
  const absl::Status refusal = Begin("another");
  EXPECT_EQ(ReasonOf(refusal), v1::ERROR_REASON_SERVER_OVERLOADED);
  EXPECT_THAT(std::string(refusal.message()), HasSubstr("runs 3 calls"));
  running_.OnEnd(*calls_[0], "caller 0");
  EXPECT_TRUE(Begin("another").ok());
}

TEST_F(RunningCallsTest, LimitsCallsOfEachCaller) {
  ASSERT_TRUE(Begin("caller", 1).ok());
  EXPECT_EQ(ReasonOf(Begin("caller", 1)), v1::ERROR_REASON_CALLER_LIMIT);
  EXPECT_TRUE(Begin("another", 1).ok());
}

TEST_F(RunningCallsTest, EndedCallsMakeRoomBeforeTheirResponsesAreSent) {
  for (size_t i = 0; i < RunningCalls::kMoreUnsent; ++i) {
    ASSERT_TRUE(Begin("caller", 1).ok()) << i;
    EXPECT_THAT(running_.Describe(), SizeIs(1));
    EndLast();
  }
}

TEST_F(RunningCallsTest, LimitsUnsentResponsesOfEachCaller) {
  const size_t held = 2 * 1 + RunningCalls::kMoreUnsent;
  for (size_t i = 0; i < held; ++i) {
    ASSERT_TRUE(Begin("caller", 1).ok()) << i;
    EndLast();
  }
  const absl::Status refusal = Begin("caller", 1);
  EXPECT_EQ(ReasonOf(refusal), v1::ERROR_REASON_CALLER_LIMIT);
  EXPECT_THAT(std::string(refusal.message()), HasSubstr("does not read 18 responses"));
  EXPECT_TRUE(Begin("another", 1).ok());
  running_.OnSent(*calls_[0], "caller");
  EXPECT_TRUE(Begin("caller", 1).ok());
}

TEST_F(RunningCallsTest, LimitsUnsentResponsesOfAllCallers) {
  for (size_t i = 0; i < 2 * kMax + RunningCalls::kMoreUnsent; ++i) {
    const std::string caller = "caller " + std::to_string(i);
    ASSERT_TRUE(Begin(caller).ok()) << i;
    EndLast(caller);
  }
  EXPECT_EQ(ReasonOf(Begin("another")), v1::ERROR_REASON_SERVER_OVERLOADED);
  running_.OnSent(*calls_[0], "caller 0");
  EXPECT_TRUE(Begin("another").ok());
}

TEST_F(RunningCallsTest, EndsRunningCallsOnDrain) {
  ASSERT_TRUE(Begin().ok());
  ASSERT_TRUE(Begin().ok());
  EndLast();
  bool is_idle = false;
  running_.Drain([&is_idle] { is_idle = true; });
  EXPECT_EQ(ReasonOf(Begin()), v1::ERROR_REASON_SERVER_DRAINING);
  running_.EndAll();
  EXPECT_EQ(ReasonOf(calls_[0]->end), v1::ERROR_REASON_SERVER_DRAINING);
  EXPECT_TRUE(calls_[1]->end.ok());
  running_.OnEnd(*calls_[0], "caller");
  running_.OnSent(*calls_[0], "caller");
  EXPECT_FALSE(is_idle);
  running_.OnSent(*calls_[1], "caller");
  EXPECT_TRUE(is_idle);
  running_.OnSent(*calls_[2], "caller");  // which was refused
  EXPECT_TRUE(running_.Describe().empty());
}

TEST_F(RunningCallsTest, IsIdleAtOnceWithoutCalls) {
  bool is_idle = false;
  running_.Drain([&is_idle] { is_idle = true; });
  EXPECT_TRUE(is_idle);
}

}  // namespace
}  // namespace rollcall::service
