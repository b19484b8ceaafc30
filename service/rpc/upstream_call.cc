#include "service/rpc/upstream_call.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/error/error.h"

namespace rollcall::service {

absl::Status UpstreamCall::Begin(int max_calls, Scheduler::Task work) {
  if (absl::Status refusal = running_.Begin(*this, caller_, max_calls); !refusal.ok()) {
    report_->End(refusal, {});
    return refusal;
  }
  scheduler_.Post([this, work = std::move(work)]() mutable {
    if (HasEnded()) return;
    StartTimers();
    work();
  });
  return absl::OkStatus();
}

void UpstreamCall::StartTimers() {
  const auto left = std::max(deadline_.TimeLeft(scheduler_.Now()), std::chrono::milliseconds(0));
  deadline_timer_.Start(left, [this] {
    Abort(MakeError(v1::ERROR_REASON_DEADLINE_EXCEEDED, "deadline of the call is exceeded"));
  });
  stall_detector_.Start(
      caller_stall_, [this] { return Progress(); },
      [this] {
        const double seconds = std::chrono::duration<double>(caller_stall_).count();
        Abort(MakeError(
            v1::ERROR_REASON_CALLER_TOO_SLOW,
            absl::StrCat("caller has not read for ", seconds, " s (limits.caller_stall_seconds)")));
      });
}

void UpstreamCall::StopTimers() {
  deadline_timer_.Stop();
  stall_detector_.Stop();
  grace_timer_.Stop();
}

// Ends the call, and cancels it later if the caller still does not read.
void UpstreamCall::Abort(const absl::Status& reason) {
  StopTimers();
  grace_timer_.Start(kGracePeriod, [this] { Cancel(); });
  Stop(reason);
}

void UpstreamCall::ReportEnd(const absl::Status& status, const CallTotals& totals) {
  report_->End(status, totals);
  running_.OnEnd(*this, caller_);
}

void UpstreamCall::OnCallDone() {
  running_.OnSent(*this, caller_);
  scheduler_.DeleteLater(std::unique_ptr<UpstreamCall>(this));
}

void UpstreamCall::EndWith(const absl::Status& status) {
  scheduler_.Post([this, status] { Stop(status); });
}

}  // namespace rollcall::service
