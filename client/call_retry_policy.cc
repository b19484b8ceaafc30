#include "client/call_retry_policy.h"

namespace rollcall {

std::unique_ptr<CallRetryPolicy> LimitedRetryPolicy::Clone() const {
  return std::make_unique<LimitedRetryPolicy>(limits_);
}

bool LimitedRetryPolicy::MayRetry(const absl::Status& failure, absl::Duration wait,
                                  absl::Duration elapsed) {
  if (!absl::IsUnavailable(failure) && !absl::IsCancelled(failure)) return false;
  if (wait > limits_.max_wait || elapsed + wait > limits_.max_time) return false;
  if (retries_ >= limits_.max_retries) return false;
  ++retries_;
  return true;
}

}  // namespace rollcall
