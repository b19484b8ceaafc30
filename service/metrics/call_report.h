// What one call tells the operator: filled in while the call goes on, and told once, when it ends.
// Every call has one, those that are refused too. Made and given its facts on gRPC's thread, before
// any other sees it.
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

namespace rollcall {

class CallReport {
 public:
  // The call begins now. `monitor` must outlive the report.
  CallReport(CallMonitor& monitor, CallMethod method);
  CallReport(const CallReport&) = delete;
  CallReport& operator=(const CallReport&) = delete;

  // Who calls: a name or an address.
  void SetCaller(absl::string_view caller) { call_.caller = Identifier(caller); }
  // The name of a configured upstream.
  void SetUpstream(const std::string& name) { call_.upstream = Identifier(name); }
  // The field of the request that names what is asked for.
  void SetQuery(const std::string& field) { call_.query = Identifier(field); }
  // The ids by which the call can be found.
  void SetIds(absl::string_view request_id, absl::string_view trace_id);

  // So many more records are on their way to the caller. On one thread, that of its event loop.
  void OnRecords(int64_t count);

  // The call is over, or will be as soon as gRPC has heard of it. Once, on any thread; behind the
  // last OnRecords().
  void End(const absl::Status& status, const CallTotals& totals);

  // The call as it is now. On any thread.
  RunningCall Describe(size_t queued_bytes) const;

 private:
  using Clock = std::chrono::steady_clock;

  CallMonitor& monitor_;
  const Clock::time_point begin_ = Clock::now();
  EndedCall call_;
  std::atomic<int64_t> records_ = 0;
};

}  // namespace rollcall
