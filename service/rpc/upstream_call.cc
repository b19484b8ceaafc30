#include "service/rpc/upstream_call.h"

#include <algorithm>
#include <chrono>

#include "service/error/error.h"

namespace rollcall {

absl::Status UpstreamCall::Begin(int max_calls, Scheduler::Task work) {
  if (absl::Status refusal = running_.Begin(*this, caller_, max_calls); !refusal.ok()) {
    report_->End(refusal, {});
    return refusal;
  }
  scheduler_.Post([this, work = std::move(work)]() mutable {
    if (HasEnded()) return;
    const auto left = std::max(deadline_.TimeLeft(scheduler_.Now()), std::chrono::milliseconds(0));
    deadline_timer_.Start(left, [this] {
      Abort(MakeError(v1::ERROR_REASON_DEADLINE_EXCEEDED, "deadline of the call is exceeded"));
    });
    work();
  });
  return absl::OkStatus();
}

void UpstreamCall::ReportEnd(const absl::Status& status, const CallTotals& totals) {
  report_->End(status, totals);
  running_.End(*this, caller_);
}

void UpstreamCall::EndWith(const absl::Status& status) {
  scheduler_.Post([this, status] { Stop(status); });
}

}  // namespace rollcall
