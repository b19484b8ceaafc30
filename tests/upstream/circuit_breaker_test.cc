// The circuit breaker's states. The test controls the time.
#include "service/upstream/circuit_breaker.h"

#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using std::chrono::milliseconds;
using Failure = CircuitBreaker::Failure;

constexpr CircuitBreaker::Target kTarget = 1;
constexpr CircuitBreaker::Target kOther = 2;

class CircuitBreakerTest : public ::testing::Test {
 protected:
  void Open() {
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(breaker_.TimeToWait(now_, kTarget), std::nullopt);
      breaker_.OnFailure(now_, Failure::kUnreachable, kTarget);
    }
    EXPECT_FALSE(breaker_.is_closed());
  }

  CircuitBreaker breaker_{{3, milliseconds(500)}};
  CircuitBreaker::Time now_ = CircuitBreaker::Time() + std::chrono::hours(1);
};

TEST_F(CircuitBreakerTest, OpensAfterConsecutiveFailures) {
  for (int i = 0; i < 10; ++i) {
    breaker_.OnFailure(now_, Failure::kUnreachable, kTarget);
    breaker_.OnFailure(now_, Failure::kUnreachable, kTarget);
    breaker_.OnResponse(now_);
  }
  EXPECT_TRUE(breaker_.is_closed());
  now_ += milliseconds(250);
  Open();
  EXPECT_EQ(breaker_.TimeToWait(now_, kTarget), milliseconds(500));
  now_ += milliseconds(100);
  EXPECT_EQ(breaker_.TimeToWait(now_, kTarget), milliseconds(400));
}

TEST_F(CircuitBreakerTest, AdmitsOneProbe) {
  Open();
  now_ += milliseconds(500);
  EXPECT_EQ(breaker_.TimeToWait(now_, kTarget), std::nullopt);
  EXPECT_EQ(breaker_.TimeToWait(now_, kTarget), milliseconds(500));
  EXPECT_FALSE(breaker_.is_closed());
  breaker_.OnResponse(now_);
  EXPECT_TRUE(breaker_.is_closed());
  EXPECT_EQ(breaker_.TimeToWait(now_, kTarget), std::nullopt);
  // The count of failures restarts.
  breaker_.OnFailure(now_, Failure::kUnreachable, kTarget);
  EXPECT_TRUE(breaker_.is_closed());
}

TEST_F(CircuitBreakerTest, SendsAnotherProbeIfOneHangs) {
  Open();
  now_ += milliseconds(500);
  ASSERT_EQ(breaker_.TimeToWait(now_, kTarget), std::nullopt);
  now_ += milliseconds(499);
  EXPECT_EQ(breaker_.TimeToWait(now_, kTarget), milliseconds(1));
  now_ += milliseconds(1);
  EXPECT_EQ(breaker_.TimeToWait(now_, kTarget), std::nullopt);
  breaker_.OnResponse(now_);
  EXPECT_TRUE(breaker_.is_closed());
}

TEST_F(CircuitBreakerTest, FailedProbeReopensIt) {
  Open();
  now_ += milliseconds(600);
  ASSERT_EQ(breaker_.TimeToWait(now_, kTarget), std::nullopt);
  breaker_.OnFailure(now_, Failure::kUnreachable, kTarget);
  EXPECT_EQ(breaker_.TimeToWait(now_, kTarget), milliseconds(500));
}

TEST_F(CircuitBreakerTest, NextRequestIsTheProbeIfOneIsCancelled) {
  Open();
  now_ += milliseconds(600);
  ASSERT_EQ(breaker_.TimeToWait(now_, kTarget), std::nullopt);
  breaker_.OnProbeGivenUp();
  EXPECT_EQ(breaker_.TimeToWait(now_, kTarget), std::nullopt);
}

TEST_F(CircuitBreakerTest, LateResponseClosesIt) {
  Open();
  breaker_.OnResponse(now_);
  EXPECT_TRUE(breaker_.is_closed());
}

class CircuitBreakerTargetTest : public ::testing::Test {
 protected:
  // A quarter is two.
  CircuitBreaker breaker_{{8, milliseconds(500)}};
  CircuitBreaker::Time now_ = CircuitBreaker::Time() + std::chrono::hours(1);
};

TEST_F(CircuitBreakerTargetTest, StaysClosedIfOneTargetAlwaysFails) {
  for (int i = 0; i < 1000; ++i) breaker_.OnFailure(now_, Failure::kRequest, kTarget);
  EXPECT_TRUE(breaker_.is_closed());
}

TEST_F(CircuitBreakerTargetTest, OpensIfAQuarterEachFailForFourTargets) {
  for (CircuitBreaker::Target target = 1; target <= 4; ++target) {
    for (int i = 0; i < 10; ++i) {
      EXPECT_TRUE(breaker_.is_closed());
      breaker_.OnFailure(now_, Failure::kRequest, target);
      if (!breaker_.is_closed()) break;
    }
  }
  EXPECT_FALSE(breaker_.is_closed());
}

TEST_F(CircuitBreakerTargetTest, CountsEachFailureToConnect) {
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(breaker_.is_closed());
    breaker_.OnFailure(now_, Failure::kUnreachable, kTarget);
  }
  EXPECT_FALSE(breaker_.is_closed());
}

TEST_F(CircuitBreakerTargetTest, CountsEachTargetAnewAfterAResponse) {
  for (int round = 0; round < 3; ++round) {
    now_ += milliseconds(500);
    for (CircuitBreaker::Target target = 1; target <= 3; ++target) {
      for (int i = 0; i < 2; ++i) breaker_.OnFailure(now_, Failure::kRequest, target);
    }
    EXPECT_TRUE(breaker_.is_closed());
    breaker_.OnResponse(now_);
  }
  now_ += milliseconds(500);
  for (CircuitBreaker::Target target = 1; target <= 4; ++target) {
    for (int i = 0; i < 2; ++i) breaker_.OnFailure(now_, Failure::kRequest, target);
  }
  EXPECT_FALSE(breaker_.is_closed());
}

TEST_F(CircuitBreakerTargetTest, StaysClosedShortlyAfterASuccess) {
  breaker_.OnResponse(now_);
  now_ += milliseconds(249);
  for (CircuitBreaker::Target target = 0; target < 1000; ++target) {
    breaker_.OnFailure(now_, Failure::kRequest, target);
  }
  EXPECT_TRUE(breaker_.is_closed());
  now_ += milliseconds(1);
  breaker_.OnFailure(now_, Failure::kRequest, kTarget);
  EXPECT_FALSE(breaker_.is_closed());
}

TEST_F(CircuitBreakerTest, LeavesTheNextProbeToAnotherTarget) {
  Open();
  now_ += milliseconds(500);
  ASSERT_EQ(breaker_.TimeToWait(now_, kTarget), std::nullopt);
  breaker_.OnFailure(now_, Failure::kRequest, kTarget);
  now_ += milliseconds(500);
  EXPECT_EQ(breaker_.TimeToWait(now_, kTarget), milliseconds(500));
  EXPECT_EQ(breaker_.TimeToWait(now_, kOther), std::nullopt);
  breaker_.OnResponse(now_);
  EXPECT_TRUE(breaker_.is_closed());
}

TEST_F(CircuitBreakerTest, ProbesTheSameTargetIfThereIsNoOther) {
  Open();
  now_ += milliseconds(500);
  ASSERT_EQ(breaker_.TimeToWait(now_, kTarget), std::nullopt);
  breaker_.OnFailure(now_, Failure::kRequest, kTarget);
  now_ += milliseconds(1000);
  EXPECT_EQ(breaker_.TimeToWait(now_, kTarget), std::nullopt);
}

}  // namespace
}  // namespace rollcall::service
