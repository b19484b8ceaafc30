// Retry options for calls through the client library that retry every transient error, so that only
// a real defect ends a list.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "rollcall/call_options.h"

namespace rollcall {

// Also retries a provider's rate limit, even without a RetryInfo.
class PatientRetryPolicy final : public CallRetryPolicy {
 public:
  std::unique_ptr<CallRetryPolicy> Clone() const override {
    return std::make_unique<PatientRetryPolicy>();
  }
  bool MayRetry(const absl::Status& failure, absl::Duration /*wait*/,
                absl::Duration /*elapsed*/) override {
    return (absl::IsUnavailable(failure) || absl::IsCancelled(failure) ||
            absl::IsResourceExhausted(failure)) &&
           ++failures_ < 1000;
  }
  void OnProgress() override { failures_ = 0; }

 private:
  int failures_ = 0;  // consecutive
};

// `max_wait` bounds the wait after a failure.
inline CallOptions PatientCaller(absl::Duration max_wait) {
  CallOptions options;
  options.retry_policy = std::make_shared<PatientRetryPolicy>();
  options.backoff_policy =
      std::make_shared<ExponentialBackoff>(BackoffSettings{absl::Milliseconds(5), max_wait});
  return options;
}

}  // namespace rollcall
