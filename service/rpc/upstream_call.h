// What ListCall and GetCall have in common: a call that works on an event loop's thread, with
// gRPC's reactor around it. It is made on a gRPC thread and destroyed on the loop's, after gRPC's
// last callback (OnDone) and all tasks that were posted before, so tasks and callbacks may refer to
// it without owning it.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "service/http/scheduler.h"
#include "service/query/query.h"
#include "service/rpc/running_calls.h"
#include "service/rpc/upstream_loops.h"
#include "service/telemetry/call_report.h"

namespace rollcall {

class UpstreamCall : protected RunningCalls::Call {
 public:
  UpstreamCall(const UpstreamCall&) = delete;
  UpstreamCall& operator=(const UpstreamCall&) = delete;
  virtual ~UpstreamCall() = default;

 protected:
  // `loop` and `running` must outlive the call.
  UpstreamCall(std::unique_ptr<CallReport> report, UpstreamLoop& loop, RunningCalls& running,
               const CallContext& context)
      : report_(std::move(report)),
        loop_(loop),
        running_(running),
        deadline_(context.deadline),
        trace_(context.trace),
        caller_(context.caller),
        deadline_timer_(scheduler()) {}

  // Runs `work` on the loop's thread, unless the call ends before that. An error if this call is
  // one too many, of the caller's `max_calls` or at all; the call has ended then, and is to be
  // finished with this error.
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

  // To be called from the reactor's functions of these names.
  void OnCallCancelled() { EndWith(absl::CancelledError("the caller ended the call")); }
  void OnCallDone() { scheduler().DeleteLater(std::unique_ptr<UpstreamCall>(this)); }

  // Of the loop's thread, but for Post() and DeleteLater().
  Scheduler& scheduler() const { return loop_->scheduler(); }

  const std::unique_ptr<CallReport> report_;
  const LoopLease loop_;
  RunningCalls& running_;
  const Deadline deadline_;
  const TraceContext trace_;
  const std::string caller_;
  Timer deadline_timer_;

 private:
  void EndWith(const absl::Status& status) final;
};

}  // namespace rollcall
