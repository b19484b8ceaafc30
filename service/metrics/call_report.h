// Collects what the operator learns of one call, and reports it when the call ends. Every call has
// one, including refused calls. It is created and given its facts on gRPC's thread, before other
// threads see it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/metrics/call_monitor.h"

namespace rollcall::service {

class CallReport {
 public:
  // The call's time begins now. `monitor` must outlive the report.
  CallReport(CallMonitor& monitor, CallMethod method);
  CallReport(const CallReport&) = delete;
  CallReport& operator=(const CallReport&) = delete;

  // The caller's name or address.
  void SetCaller(absl::string_view caller) { call_.caller = Identifier(caller); }
  // The name of a configured upstream.
  void SetUpstream(const std::string& name) { call_.upstream = Identifier(name); }
  // The name of the request's query field.
  void SetQuery(const std::string& field) { call_.query = Identifier(field); }
  // The ids that identify the call in logs and traces.
  void SetIds(absl::string_view request_id, absl::string_view trace_id);

  // Counts records that are queued for the caller. On the event loop's thread.
  void OnRecords(int64_t count);

  // Reports the call, just before gRPC finishes it. Call once, on any thread, after the last
  // OnRecords().
  void End(const absl::Status& status, const CallTotals& totals);

  // The call's present state. From any thread.
  RunningCall Describe(size_t queued_bytes) const;

 private:
  using Clock = std::chrono::steady_clock;

  CallMonitor& monitor_;
  const Clock::time_point begin_ = Clock::now();
  EndedCall call_;
  std::atomic<int64_t> records_ = 0;
};

}  // namespace rollcall::service
