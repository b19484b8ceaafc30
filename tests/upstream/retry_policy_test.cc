// Which failures are retried, and when. The test controls randomness and time.
#include "service/upstream/retry_policy.h"

#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "service/error/error.h"

namespace rollcall::service {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kForever = milliseconds::max();
const RetryOptions kSettings{4, milliseconds(100), milliseconds(1000)};

absl::Status Unavailable() { return MakeError(v1::ERROR_REASON_UPSTREAM_UNAVAILABLE, "503"); }

absl::Status RateLimited(int64_t seconds) {
  absl::Status status = MakeError(v1::ERROR_REASON_UPSTREAM_RATE_LIMITED, "429");
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(seconds);
  AddErrorDetail(status, retry);
  return status;
}

TEST(RetryPolicy, DoublesTheBackoffUntilAttemptsAreUsedUp) {
  RetryPolicy policy({6, milliseconds(100), milliseconds(500)}, [] { return 0.5; });
  EXPECT_EQ(policy.AfterFailure(Unavailable(), kForever), milliseconds(50));
  EXPECT_EQ(policy.AfterFailure(Unavailable(), kForever), milliseconds(100));
  EXPECT_EQ(policy.AfterFailure(Unavailable(), kForever), milliseconds(200));
  EXPECT_EQ(policy.AfterFailure(Unavailable(), kForever), milliseconds(250));
  EXPECT_EQ(policy.AfterFailure(Unavailable(), kForever), milliseconds(250));
  EXPECT_EQ(policy.AfterFailure(Unavailable(), kForever), std::nullopt);
}

TEST(RetryPolicy, JitterCoversTheWholeBackoff) {
  for (const double chance : {0.0, 0.25, 0.999}) {
    RetryPolicy policy(kSettings, [chance] { return chance; });
    EXPECT_EQ(policy.AfterFailure(Unavailable(), kForever),
              milliseconds(static_cast<int>(100 * chance)));
  }
}

TEST(RetryPolicy, ProgressResetsTheAttempts) {
  RetryPolicy policy(kSettings, [] { return 0.5; });
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(policy.AfterFailure(Unavailable(), kForever), milliseconds(50));
    policy.Progress();
  }
}

TEST(RetryPolicy, RetriesOnlyTransientFailures) {
  for (int value = 0; value < v1::ErrorReason_ARRAYSIZE; ++value) {
    const auto reason = static_cast<v1::ErrorReason>(value);
    const bool transient = reason == v1::ERROR_REASON_UPSTREAM_UNAVAILABLE ||
                           reason == v1::ERROR_REASON_UPSTREAM_UNREACHABLE ||
                           reason == v1::ERROR_REASON_UPSTREAM_TIMEOUT ||
                           reason == v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE ||
                           reason == v1::ERROR_REASON_UPSTREAM_RATE_LIMITED ||
                           reason == v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN;
    RetryPolicy policy(kSettings, [] { return 0.5; });
    EXPECT_EQ(policy.AfterFailure(MakeError(reason, "x"), kForever).has_value(), transient)
        << v1::ErrorReason_Name(reason);
  }
}

TEST(RetryPolicy, DoesNotRetryARedirect) {
  RetryPolicy policy(kSettings, [] { return 0.5; });
  const absl::Status redirect =
      MakeError(v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE, "x", {{"http_status", "302"}});
  EXPECT_EQ(policy.AfterFailure(redirect, kForever), std::nullopt);
}

TEST(RetryPolicy, HonorsRetryAfterUpToMaxBackoff) {
  RetryPolicy policy({9, milliseconds(100), milliseconds(5000)}, [] { return 0.5; });
  EXPECT_EQ(policy.AfterFailure(RateLimited(3), kForever), milliseconds(3000));
  // Longer than max_backoff: the call fails, and its caller is told how long to wait.
  EXPECT_EQ(policy.AfterFailure(RateLimited(6), kForever), std::nullopt);
}

TEST(RetryPolicy, DoesNotWaitPastTheDeadline) {
  RetryPolicy policy(kSettings, [] { return 0.5; });
  EXPECT_EQ(policy.AfterFailure(Unavailable(), milliseconds(50)), std::nullopt);
  EXPECT_EQ(policy.AfterFailure(Unavailable(), milliseconds(-1)), std::nullopt);
  EXPECT_TRUE(policy.AfterFailure(Unavailable(), milliseconds(5000)).has_value());
}

}  // namespace
}  // namespace rollcall::service
