#include "rollcall/call_retry_policy.h"

#include <string>

#include "google/rpc/error_details.pb.h"
#include "rollcall/call_status.h"

namespace rollcall {
namespace {

// Every error of the service has an ErrorInfo with its domain. Errors of gRPC and of proxies do
// not.
bool IsFromService(const absl::Status& failure) {
  const auto info = StatusDetail<google::rpc::ErrorInfo>(failure);
  return info.has_value() && info->domain() == "rollcall";
}

bool IsTransient(const absl::Status& failure) {
  const std::string advice = RetryAdvice(failure);
  if (advice == "no") return false;
  if (advice == "resume" || advice == "later") return true;
  switch (failure.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDeadlineExceeded:
      return true;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return !IsFromService(failure);
    case absl::StatusCode::kResourceExhausted:
      return StatusDetail<google::rpc::RetryInfo>(failure).has_value();
    default:
      return false;
  }
}

}  // namespace

std::unique_ptr<CallRetryPolicy> LimitedRetryPolicy::Clone() const {
  return std::make_unique<LimitedRetryPolicy>(limits_);
}

bool LimitedRetryPolicy::MayRetry(const absl::Status& failure, absl::Duration wait,
                                  absl::Duration elapsed) {
  if (!IsTransient(failure)) return false;
  if (wait > limits_.max_wait || elapsed + wait > limits_.max_time) return false;
  if (retries_ >= limits_.max_retries) return false;
  ++retries_;
  return true;
}

}  // namespace rollcall
