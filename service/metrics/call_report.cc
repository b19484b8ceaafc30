#include "service/metrics/call_report.h"

namespace rollcall::service {

CallReport::CallReport(CallMonitor& monitor, CallMethod method) : monitor_(monitor) {
  call_.method = method;
}

void CallReport::SetIds(absl::string_view request_id, absl::string_view trace_id) {
  call_.request_id = Identifier(request_id);
  call_.trace_id = Identifier(trace_id);
}

void CallReport::OnRecords(int64_t count) {
  if (records_.fetch_add(count, std::memory_order_relaxed) == 0) {
    call_.first_record = Clock::now() - begin_;
  }
}

void CallReport::End(const absl::Status& status, const CallTotals& totals) {
  call_.duration = Clock::now() - begin_;
  call_.totals = totals;
  monitor_.OnEnd(call_, status);
}

RunningCall CallReport::Describe(size_t queued_bytes) const {
  return {call_.method,     call_.caller, call_.upstream, call_.query,
          call_.request_id, begin_,       records_,       queued_bytes};
}

}  // namespace rollcall::service
