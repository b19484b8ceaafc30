#include "client/cpp/src/retry_loop.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "google/rpc/error_details.pb.h"
#include "rollcall/call_status.h"

namespace rollcall {
namespace {

// Added to the backoff if the service's advice is `later`, and it does not say for how long.
constexpr absl::Duration kLaterWait = absl::Seconds(1);

// The wait after this failure: at least `backoff`, and what the service asks for.
absl::Duration WaitAfter(const absl::Status& failure, absl::Duration backoff) {
  const auto retry = StatusDetail<google::rpc::RetryInfo>(failure);
  if (retry.has_value()) {
    return std::max(backoff, absl::Seconds(retry->retry_delay().seconds()) +
                                 absl::Nanoseconds(retry->retry_delay().nanos()));
  }
  return RetryAdvice(failure) == "later" ? backoff + kLaterWait : backoff;
}

}  // namespace

RetryLoop::RetryLoop(const CallOptions& options)
    : retry_policy_(options.retry_policy->Clone()),
      backoff_policy_(options.backoff_policy->Clone()),
      canceller_(options.canceller != nullptr ? options.canceller
                                              : std::make_shared<CallCanceller>()),
      clock_(options.clock),
      request_id_(IsRequestId(options.request_id) ? options.request_id : ""),
      timeout_(options.timeout),
      start_(clock_->Now()) {}

void RetryLoop::Prepare(grpc::ClientContext& context) const {
  if (!request_id_.empty()) context.AddMetadata("x-request-id", request_id_);
  if (timeout_ == absl::InfiniteDuration()) return;
  const absl::Duration left = timeout_ - (clock_->Now() - start_);
  context.set_deadline(absl::ToChronoTime(absl::Now() + left));
}

void RetryLoop::OnProgress() {
  progress_ = true;
  if (!failed_) return;
  failed_ = false;
  retry_policy_->OnProgress();
  backoff_policy_->OnProgress();
}

absl::Status RetryLoop::AfterFailure(const grpc::Status& failure) {
  absl::Status status = ToAbslStatus(failure);
  if (canceller_->cancelled()) return LastError(failure);
  const bool progress = std::exchange(progress_, false);
  if (absl::IsDeadlineExceeded(status) && (IsCallersDeadline() || !progress)) return status;
  failed_ = true;
  const absl::Duration wait = WaitAfter(status, backoff_policy_->NextWait());
  const absl::Duration elapsed = clock_->Now() - start_;
  // A call without time left would only replace this failure by a DEADLINE_EXCEEDED.
  if (elapsed + wait >= timeout_) return status;
  if (!retry_policy_->MayRetry(status, wait, elapsed)) return status;
  clock_->Wait(wait, *canceller_);
  return canceller_->cancelled() ? LastError(failure) : absl::OkStatus();
}

// Whether the caller's timeout has passed, rather than the service's time limit for one call. The
// service ends a call slightly before the caller's deadline, so that the status still arrives.
bool RetryLoop::IsCallersDeadline() const {
  const absl::Duration left = timeout_ - (clock_->Now() - start_);
  return left < absl::Milliseconds(200);
}

absl::Status RetryLoop::LastError(const grpc::Status& failure) const {
  // The cause, whatever status the call ended with.
  if (canceller_->cancelled()) return absl::CancelledError("cancelled by the caller");
  return ToAbslStatus(failure);
}

}  // namespace rollcall
