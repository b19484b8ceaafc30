// The retry and backoff policies, each by itself.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "rollcall/backoff_policy.h"
#include "rollcall/call_retry_policy.h"
#include "rollcall/call_status.h"
#include "tests/client/fake_server.h"

namespace rollcall {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr absl::Duration kNone = absl::ZeroDuration();

const absl::Status& Unavailable() {
  static const absl::Status& status = *new absl::Status(absl::UnavailableError("gone"));
  return status;
}

// The codes, of 1 to 16, that are retried if the failure has these details.
template <typename... Details>
std::vector<absl::StatusCode> RetriedWith(const Details&... details) {
  std::vector<absl::StatusCode> retried;
  for (int code = 1; code <= 16; ++code) {
    const absl::Status failure =
        ToAbslStatus(RichStatus(static_cast<grpc::StatusCode>(code), "failed", details...));
    if (LimitedRetryPolicy().MayRetry(failure, kNone, kNone)) retried.push_back(failure.code());
  }
  return retried;
}

TEST(LimitedRetryPolicyTest, RetriesTransportFailuresWithoutErrorInfo) {
  EXPECT_THAT(RetriedWith(),
              UnorderedElementsAre(absl::StatusCode::kCancelled, absl::StatusCode::kUnknown,
                                   absl::StatusCode::kDeadlineExceeded, absl::StatusCode::kInternal,
                                   absl::StatusCode::kUnavailable));
}

TEST(LimitedRetryPolicyTest, ServicesOwnInternalAndUnknownAreFinal) {
  EXPECT_THAT(
      RetriedWith(MakeErrorInfo("UPSTREAM_MALFORMED_RESPONSE")),
      UnorderedElementsAre(absl::StatusCode::kCancelled, absl::StatusCode::kDeadlineExceeded,
                           absl::StatusCode::kUnavailable));
}

TEST(LimitedRetryPolicyTest, ErrorInfoOfAnotherDomainIsNotTheServices) {
  google::rpc::ErrorInfo info = MakeErrorInfo("RESET");
  info.set_domain("mesh.example");
  EXPECT_THAT(RetriedWith(info), Contains(absl::StatusCode::kInternal));
}

TEST(LimitedRetryPolicyTest, RetriesResourceExhaustedOnlyWithRetryInfo) {
  EXPECT_THAT(RetriedWith(MakeErrorInfo("UPSTREAM_LIMIT_EXCEEDED")),
              Not(Contains(absl::StatusCode::kResourceExhausted)));
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(1);
  EXPECT_THAT(RetriedWith(MakeErrorInfo("UPSTREAM_QUEUE_FULL"), retry),
              Contains(absl::StatusCode::kResourceExhausted));
}

google::rpc::ErrorInfo InfoWithRetry(const std::string& retry, const std::string& domain) {
  google::rpc::ErrorInfo info = MakeErrorInfo("NOT_INVENTED_YET");
  info.set_domain(domain);
  (*info.mutable_metadata())["retry"] = retry;
  return info;
}

TEST(LimitedRetryPolicyTest, AdviceOfTheServiceDecidesForAllCodes) {
  std::vector<absl::StatusCode> all;
  for (int code = 1; code <= 16; ++code) all.push_back(static_cast<absl::StatusCode>(code));
  google::rpc::RetryInfo retry_info;
  retry_info.mutable_retry_delay()->set_seconds(1);
  const std::vector<absl::StatusCode> without_error_info = RetriedWith();
  const std::vector<absl::StatusCode> without_advice = RetriedWith(MakeErrorInfo("ANY"));
  ASSERT_NE(without_advice, without_error_info);
  struct Case {
    const char* retry;
    const char* domain;
    std::vector<absl::StatusCode> retried;
  };
  for (const Case& advice : std::vector<Case>{{"resume", "rollcall", all},
                                              {"later", "rollcall", all},
                                              {"no", "rollcall", {}},
                                              {"", "rollcall", without_advice},
                                              {"NO", "rollcall", without_advice},
                                              {"no ", "rollcall", without_advice},
                                              {"Resume", "rollcall", without_advice},
                                              {"hedge", "rollcall", without_advice},
                                              {"resume", "mesh.example", without_error_info},
                                              {"no", "", without_error_info}}) {
    EXPECT_EQ(RetriedWith(InfoWithRetry(advice.retry, advice.domain)), advice.retried)
        << '"' << advice.retry << "\" of " << advice.domain;
  }
  // RetryInfo makes no difference.
  EXPECT_EQ(RetriedWith(InfoWithRetry("later", "rollcall"), retry_info), all);
  EXPECT_THAT(RetriedWith(InfoWithRetry("no", "rollcall"), retry_info), IsEmpty());
  EXPECT_THAT(RetriedWith(InfoWithRetry("hedge", "rollcall"), retry_info),
              Contains(absl::StatusCode::kResourceExhausted));
}

TEST(LimitedRetryPolicyTest, LimitsApplyToAdvisedRetries) {
  for (const char* retry : {"resume", "later"}) {
    const absl::Status failure =
        ToAbslStatus(RichStatus(grpc::INTERNAL, "failed", InfoWithRetry(retry, "rollcall")));
    LimitedRetryPolicy policy(
        {.max_retries = 1, .max_time = absl::Seconds(10), .max_wait = absl::Seconds(5)});
    EXPECT_FALSE(policy.MayRetry(failure, absl::Seconds(6), kNone));
    EXPECT_FALSE(policy.MayRetry(failure, absl::Seconds(5), absl::Seconds(6)));
    EXPECT_TRUE(policy.MayRetry(failure, absl::Seconds(5), absl::Seconds(5)));
    EXPECT_FALSE(policy.MayRetry(failure, kNone, kNone));
  }
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

TEST(LimitedRetryPolicyTest, NoRetryStartsAfterMaxTime) {
  LimitedRetryPolicy policy({.max_time = absl::Seconds(10)});
  EXPECT_TRUE(policy.MayRetry(Unavailable(), absl::Seconds(1), absl::Seconds(9)));
  EXPECT_FALSE(policy.MayRetry(Unavailable(), absl::Seconds(2), absl::Seconds(9)));
  policy.OnProgress();
  EXPECT_FALSE(policy.MayRetry(Unavailable(), absl::Seconds(2), absl::Seconds(9)));
}

TEST(LimitedRetryPolicyTest, WaitAboveMaxWaitIsFinal) {
  LimitedRetryPolicy policy({.max_wait = absl::Seconds(10)});
  EXPECT_TRUE(policy.MayRetry(Unavailable(), absl::Seconds(10), kNone));
  EXPECT_FALSE(policy.MayRetry(Unavailable(), absl::Seconds(11), kNone));
}

TEST(LimitedRetryPolicyTest, CloneStartsWithoutFailures) {
  LimitedRetryPolicy policy({.max_retries = 1});
  EXPECT_TRUE(policy.MayRetry(Unavailable(), kNone, kNone));
  const auto clone = policy.Clone();
  EXPECT_TRUE(clone->MayRetry(Unavailable(), kNone, kNone));
  EXPECT_FALSE(clone->MayRetry(Unavailable(), kNone, kNone));
  EXPECT_FALSE(policy.MayRetry(Unavailable(), kNone, kNone));
}

TEST(ExponentialBackoffTest, GrowsToTheMaximumAndResetsOnProgress) {
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

TEST(ExponentialBackoffTest, JitterCoversTheWholeWait) {
  double random = 0;
  ExponentialBackoff backoff({absl::Seconds(1), absl::Seconds(1), 2}, [&] { return random; });
  EXPECT_EQ(backoff.NextWait(), absl::ZeroDuration());
  random = 0.75;
  EXPECT_EQ(backoff.NextWait(), absl::Seconds(0.75));
}

TEST(ExponentialBackoffTest, FirstWaitRespectsTheMaximum) {
  ExponentialBackoff backoff({absl::Seconds(9), absl::Seconds(4), 2}, [] { return 0.5; });
  EXPECT_EQ(backoff.NextWait(), absl::Seconds(2));
  backoff.OnProgress();
  EXPECT_EQ(backoff.NextWait(), absl::Seconds(2));
}

TEST(ExponentialBackoffTest, DefaultWaitsAreRandom) {
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
