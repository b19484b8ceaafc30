#include "rollcall/call_retry_policy.h"

#include "google/rpc/error_details.pb.h"
#include "rollcall/call_status.h"

namespace rollcall {
namespace {

// Whether the same call may succeed a little later, or on another replica.
bool MayPass(const absl::Status& failure) {
  if (absl::IsUnavailable(failure) || absl::IsCancelled(failure)) return true;
  if (absl::IsDeadlineExceeded(failure)) return true;  // the service's own, see MayRetry()
  // Too much at once, and the service says when there may be less.
  return absl::IsResourceExhausted(failure) &&
         StatusDetail<google::rpc::RetryInfo>(failure).has_value();
}

}  // namespace

std::unique_ptr<CallRetryPolicy> LimitedRetryPolicy::Clone() const {
  return std::make_unique<LimitedRetryPolicy>(limits_);
}

bool LimitedRetryPolicy::MayRetry(const absl::Status& failure, absl::Duration wait,
                                  absl::Duration elapsed) {
  if (!MayPass(failure)) return false;
  if (wait > limits_.max_wait || elapsed + wait > limits_.max_time) return false;
  if (retries_ >= limits_.max_retries) return false;
  ++retries_;
  return true;
}

}  // namespace rollcall
