// The circuit breaker's states. The test controls the time.
#include "service/upstream/circuit_breaker.h"

#include <gtest/gtest.h>

namespace rollcall::service {
namespace {

using std::chrono::milliseconds;

class CircuitBreakerTest : public ::testing::Test {
 protected:
  void Open() {
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(breaker_.TimeToWait(now_), std::nullopt);
      breaker_.OnFailure(now_);
    }
    EXPECT_FALSE(breaker_.is_closed());
  }

  CircuitBreaker breaker_{{3, milliseconds(500)}};
  CircuitBreaker::Time now_ = CircuitBreaker::Time() + std::chrono::hours(1);
};

TEST_F(CircuitBreakerTest, OpensAfterConsecutiveFailures) {
  for (int i = 0; i < 10; ++i) {
    breaker_.OnFailure(now_);
    breaker_.OnFailure(now_);
    breaker_.OnResponse();
  }
  EXPECT_TRUE(breaker_.is_closed());
  Open();
  EXPECT_EQ(breaker_.TimeToWait(now_), milliseconds(500));
  now_ += milliseconds(100);
  EXPECT_EQ(breaker_.TimeToWait(now_), milliseconds(400));
}

TEST_F(CircuitBreakerTest, AdmitsOneProbe) {
  Open();
  now_ += milliseconds(500);
  EXPECT_EQ(breaker_.TimeToWait(now_), std::nullopt);
  EXPECT_EQ(breaker_.TimeToWait(now_), milliseconds(500));
  EXPECT_FALSE(breaker_.is_closed());
  breaker_.OnResponse();
  EXPECT_TRUE(breaker_.is_closed());
  EXPECT_EQ(breaker_.TimeToWait(now_), std::nullopt);
  // The count of failures restarts.
  breaker_.OnFailure(now_);
  EXPECT_TRUE(breaker_.is_closed());
}

TEST_F(CircuitBreakerTest, SendsAnotherProbeIfOneHangs) {
  Open();
  now_ += milliseconds(500);
  ASSERT_EQ(breaker_.TimeToWait(now_), std::nullopt);
  now_ += milliseconds(499);
  EXPECT_EQ(breaker_.TimeToWait(now_), milliseconds(1));
  now_ += milliseconds(1);
  EXPECT_EQ(breaker_.TimeToWait(now_), std::nullopt);
  breaker_.OnResponse();
  EXPECT_TRUE(breaker_.is_closed());
}

TEST_F(CircuitBreakerTest, FailedProbeReopensIt) {
  Open();
  now_ += milliseconds(600);
  ASSERT_EQ(breaker_.TimeToWait(now_), std::nullopt);
  breaker_.OnFailure(now_);
  EXPECT_EQ(breaker_.TimeToWait(now_), milliseconds(500));
}

TEST_F(CircuitBreakerTest, NextRequestIsTheProbeIfOneIsCancelled) {
  Open();
  now_ += milliseconds(600);
  ASSERT_EQ(breaker_.TimeToWait(now_), std::nullopt);
  breaker_.OnProbeGivenUp();
  EXPECT_EQ(breaker_.TimeToWait(now_), std::nullopt);
}

TEST_F(CircuitBreakerTest, LateResponseClosesIt) {
  Open();
  breaker_.OnResponse();
  EXPECT_TRUE(breaker_.is_closed());
}

}  // namespace
}  // namespace rollcall::service
