// What ListCall and GetCall have in common: a call that works on an event loop's thread, with
// gRPC's reactor around it. It is made on a gRPC thread and destroyed on the loop's, by a task that
// OnDone() posts after all others. So tasks, timers and callbacks may refer to it without owning
// it; after Finish(), nothing may be posted that does.
//
// A call is cancelled if its caller has not read for `caller_stall`, or has not read what was left
// of it some seconds after its deadline; also when it has ended, while gRPC holds the response.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "service/http/scheduler.h"
#include "service/metrics/call_report.h"
#include "service/query/query.h"
#include "service/rpc/running_calls.h"
#include "service/rpc/stall_detector.h"

namespace rollcall::service {

// Grace period to flush queued records before cancelling a caller that has stopped reading.
inline constexpr std::chrono::seconds kGracePeriod{5};

class UpstreamCall : protected RunningCalls::Call {
 public:
  UpstreamCall(const UpstreamCall&) = delete;
  UpstreamCall& operator=(const UpstreamCall&) = delete;
  virtual ~UpstreamCall() = default;

 protected:
  // `scheduler`, the event loop, and `running` must outlive the call.
  UpstreamCall(std::unique_ptr<CallReport> report, Scheduler& scheduler, RunningCalls& running,
               const CallContext& context, std::chrono::milliseconds caller_stall)
      : scheduler_(scheduler),
        report_(std::move(report)),
        running_(running),
        deadline_(context.deadline),
        trace_(context.trace),
        caller_(context.caller),
        caller_stall_(caller_stall),
        deadline_timer_(scheduler),
        grace_timer_(scheduler),
        stall_detector_(scheduler) {}

  // Runs `work` on the loop's thread, unless the call ends before that. Fails if the caller's
  // `max_calls` or the replica's limit is reached; the call must then be finished with that error.
  absl::Status Begin(int max_calls, Scheduler::Task work);

  // Ends the call early, on the loop's thread. Does nothing if it has ended.
  virtual void Stop(const absl::Status& reason) = 0;
  // Cancels the call in gRPC. From the loop's thread, until the call is destroyed.
  virtual void Cancel() = 0;
  // How far the caller has read. On the loop's thread.
  virtual StallDetector::Progress Progress() const = 0;
  // Whether the call has ended as far as the loop's thread is concerned.
  virtual bool HasEnded() const = 0;

  // Reports the end of the call to log, metrics and limits. Before gRPC finishes it: its caller may
  // call again at once. From any thread.
  void ReportEnd(const absl::Status& status, const CallTotals& totals);

  // Does not cancel the call any more, however slow its caller is. On the loop's thread.
  void StopTimers();

  // Call from the reactor's OnCancel() and OnDone().
  void OnCallCancelled() { EndWith(absl::CancelledError("the caller ended the call")); }
  void OnCallDone();

  Scheduler& scheduler_;
  const std::unique_ptr<CallReport> report_;
  RunningCalls& running_;
  const Deadline deadline_;
  const TraceContext trace_;
  const std::string caller_;

 private:
  void EndWith(const absl::Status& status) final;
  void StartTimers();
  void Abort(const absl::Status& reason);

  const std::chrono::milliseconds caller_stall_;
  Timer deadline_timer_;
  Timer grace_timer_;
  StallDetector stall_detector_;
};

}  // namespace rollcall::service
