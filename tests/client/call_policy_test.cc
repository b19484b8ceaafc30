// The policies, each by itself.

#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "rollcall/backoff_policy.h"
#include "rollcall/call_retry_policy.h"
#include "rollcall/call_status.h"

namespace rollcall {
namespace {

constexpr absl::Duration kNone = absl::ZeroDuration();

const absl::Status& Unavailable() {
  static const absl::Status& status = *new absl::Status(absl::UnavailableError("gone"));
  return status;
}

TEST(LimitedRetryPolicyTest, TriesAgainWhatPasses) {
  for (int code = 1; code <= 16; ++code) {
    LimitedRetryPolicy policy;
    const absl::Status failure(static_cast<absl::StatusCode>(code), "");
    EXPECT_EQ(policy.MayRetry(failure, kNone, kNone), absl::IsUnavailable(failure) ||
                                                          absl::IsCancelled(failure) ||
                                                          absl::IsDeadlineExceeded(failure))
        << failure;
  }
}

TEST(LimitedRetryPolicyTest, TriesAgainWhatIsTooMuchForNow) {
  google::rpc::Status status;
  status.set_code(static_cast<int>(absl::StatusCode::kResourceExhausted));
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(1);
  status.add_details()->PackFrom(retry);
  const absl::Status failure = ToAbslStatus(
      {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many calls", status.SerializeAsString()});
  EXPECT_TRUE(LimitedRetryPolicy().MayRetry(failure, absl::Seconds(1), kNone));
}

TEST(LimitedRetryPolicyTest, CountsRetriesWithoutProgress) {
  LimitedRetryPolicy policy({.max_retries = 2});
  EXPECT_TRUE(policy.MayRetry(Unavailable(), kNone, kNone));
  EXPECT_TRUE(policy.MayRetry(Unavailable(), kNone, kNone));
  EXPECT_FALSE(policy.MayRetry(Unavailable(), kNone, kNone));
  policy.OnProgress();
  EXPECT_TRUE(policy.MayRetry(Unavailable(), kNone, kNone));
  EXPECT_FALSE(LimitedRetryPolicy({.max_retries = 0}).MayRetry(Unavailable(), kNone, kNone));
}

TEST(LimitedRetryPolicyTest, NoCallBeginsAfterMaxTime) {
  LimitedRetryPolicy policy({.max_time = absl::Seconds(10)});
  EXPECT_TRUE(policy.MayRetry(Unavailable(), absl::Seconds(1), absl::Seconds(9)));
  EXPECT_FALSE(policy.MayRetry(Unavailable(), absl::Seconds(2), absl::Seconds(9)));
  policy.OnProgress();
  EXPECT_FALSE(policy.MayRetry(Unavailable(), absl::Seconds(2), absl::Seconds(9)));
}

TEST(LimitedRetryPolicyTest, WaitsNoLongerThanMaxWait) {
  LimitedRetryPolicy policy({.max_wait = absl::Seconds(10)});
  EXPECT_TRUE(policy.MayRetry(Unavailable(), absl::Seconds(10), kNone));
  EXPECT_FALSE(policy.MayRetry(Unavailable(), absl::Seconds(11), kNone));
}

TEST(LimitedRetryPolicyTest, CloneStartsAnew) {
  LimitedRetryPolicy policy({.max_retries = 1});
  EXPECT_TRUE(policy.MayRetry(Unavailable(), kNone, kNone));
  const auto clone = policy.Clone();
  EXPECT_TRUE(clone->MayRetry(Unavailable(), kNone, kNone));
  EXPECT_FALSE(clone->MayRetry(Unavailable(), kNone, kNone));
  EXPECT_FALSE(policy.MayRetry(Unavailable(), kNone, kNone));
}

TEST(ExponentialBackoffTest, GrowsToItsLimitAndStartsAnewWithProgress) {
  ExponentialBackoff backoff({absl::Seconds(1), absl::Seconds(5), 2}, [] { return 0.5; });
  EXPECT_EQ(backoff.NextWait(), absl::Seconds(0.5));
  EXPECT_EQ(backoff.NextWait(), absl::Seconds(1));
  EXPECT_EQ(backoff.NextWait(), absl::Seconds(2));
  EXPECT_EQ(backoff.NextWait(), absl::Seconds(2.5));
  EXPECT_EQ(backoff.NextWait(), absl::Seconds(2.5));
  EXPECT_EQ(backoff.Clone()->NextWait(), absl::Seconds(0.5));
  backoff.OnProgress();
  EXPECT_EQ(backoff.NextWait(), absl::Seconds(0.5));
}

TEST(ExponentialBackoffTest, JitterIsFull) {
  double random = 0;
  ExponentialBackoff backoff({absl::Seconds(1), absl::Seconds(1), 2}, [&] { return random; });
  EXPECT_EQ(backoff.NextWait(), absl::ZeroDuration());
  random = 0.75;
  EXPECT_EQ(backoff.NextWait(), absl::Seconds(0.75));
}

TEST(ExponentialBackoffTest, FirstWaitKeepsToTheMaximumToo) {
  ExponentialBackoff backoff({absl::Seconds(9), absl::Seconds(4), 2}, [] { return 0.5; });
  EXPECT_EQ(backoff.NextWait(), absl::Seconds(2));
  backoff.OnProgress();
  EXPECT_EQ(backoff.NextWait(), absl::Seconds(2));
}

TEST(ExponentialBackoffTest, ByDefaultWaitsDiffer) {
  ExponentialBackoff backoff({absl::Seconds(1), absl::Seconds(1), 1});
  const absl::Duration first = backoff.NextWait();
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const absl::Duration wait = backoff.NextWait();
    EXPECT_GE(wait, absl::ZeroDuration());
    EXPECT_LT(wait, absl::Seconds(1));
    differs = differs || wait != first;
  }
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace rollcall
