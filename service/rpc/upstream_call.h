// What ListCall and GetCall have in common: a call that works on an event loop's thread, with
// gRPC's reactor around it. It is made on a gRPC thread and destroyed on the loop's, by a task that
// OnDone() posts after all others. So tasks, timers and callbacks may refer to it without owning
// it; after Finish(), nothing may be posted or started that does.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "service/http/scheduler.h"
#include "service/metrics/call_report.h"
#include "service/query/query.h"
#include "service/rpc/running_calls.h"

namespace rollcall {

class UpstreamCall : protected RunningCalls::Call {
 public:
  UpstreamCall(const UpstreamCall&) = delete;
  UpstreamCall& operator=(const UpstreamCall&) = delete;
  virtual ~UpstreamCall() = default;

 protected:
  // `scheduler`, the event loop, and `running` must outlive the call.
  UpstreamCall(std::unique_ptr<CallReport> report, Scheduler& scheduler, RunningCalls& running,
               const CallContext& context)
      : scheduler_(scheduler),
        report_(std::move(report)),
        running_(running),
        deadline_(context.deadline),
        trace_(context.trace),
        caller_(context.caller),
        deadline_timer_(scheduler) {}

  // Runs `work` on the loop's thread, unless the call ends before that. Fails if the caller's
  // `max_calls` or the replica's limit is reached; the call must then be finished with that error.
  absl::Status Begin(int max_calls, Scheduler::Task work);

  // Ends the call early, on the loop's thread. Does nothing if it has ended.
  virtual void Stop(const absl::Status& reason) = 0;
  // The same, if the caller may have stopped reading.
  virtual void Abort(const absl::Status& reason) { Stop(reason); }
  // Whether the call has ended as far as the loop's thread is concerned.
  virtual bool HasEnded() const = 0;

  // Tells log, metrics and limits that the call has ended. Before gRPC finishes it: its caller may
  // call again at once. From any thread.
  void ReportEnd(const absl::Status& status, const CallTotals& totals);

  // Call from the reactor's OnCancel() and OnDone().
  void OnCallCancelled() { EndWith(absl::CancelledError("the caller ended the call")); }
  void OnCallDone() { scheduler_.DeleteLater(std::unique_ptr<UpstreamCall>(this)); }

  Scheduler& scheduler_;
  const std::unique_ptr<CallReport> report_;
  RunningCalls& running_;
  const Deadline deadline_;
  const TraceContext trace_;
  const std::string caller_;
  Timer deadline_timer_;

 private:
  void EndWith(const absl::Status& status) final;
};

}  // namespace rollcall
