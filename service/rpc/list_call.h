// One ListParticipants call: the gRPC side of the stream and its queue of records. It is the one
// place where threads meet: the pager fills the queue on an event loop's thread, gRPC's threads
// write from it, and when it is full the pager, and with it the provider's socket, stands still.
#pragma once

#include <grpcpp/grpcpp.h>

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include "absl/status/status.h"
#include "rollcall/v1/participant_service.pb.h"
#include "service/query/query.h"
#include "service/rpc/running_calls.h"
#include "service/rpc/upstream_loops.h"
#include "service/upstream/pager.h"
#include "service/upstream/upstream.h"

namespace rollcall {

// What a call that is told to end has for writing what it holds. Then it is cancelled: its caller
// has stopped to read.
inline constexpr std::chrono::seconds kTimeToFinish{5};

class ListCall final : public grpc::ServerWriteReactor<v1::ListParticipantsResponse>,
                       private RecordSink,
                       private RunningCalls::Call {
 public:
  // Begins the call, or refuses it. The result is gRPC's until its OnDone(). All but `query`
  // outlive every call.
  static ListCall* Start(grpc::CallbackServerContext& context, ListQuery query, Upstream& upstream,
                         UpstreamLoop& loop, RunningCalls& running, const Config& config);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  // As many records as keep the writer busy; more would only be memory.
  static constexpr size_t kSlots = 16;

  ListCall(grpc::CallbackServerContext& context, UpstreamLoop& loop, RunningCalls& running,
           const Config& config)
      : context_(context), loop_(loop), running_(running), config_(config) {}

  void EndWith(const absl::Status& status) override;
  void StopAt(const Deadline& deadline);
  void Stop(const absl::Status& status);
  void Cancel();

  v1::ListParticipantsResponse* NextSlot() override;
  void Commit(size_t bytes) override;
  void OnListEnd(const absl::Status& status, const ListTotals& totals) override;
  std::shared_ptr<ListCall> Self();
  bool HasEnded();
  bool IsFull() const;
  void FinishCall();
  void AddTrailers();

  grpc::CallbackServerContext& context_;
  const LoopLease loop_;
  RunningCalls& running_;
  const Config& config_;

  // Of the loop's thread.
  std::unique_ptr<Pager> pager_;
  std::optional<EventLoop::TimerId> deadline_timer_;

  // A ring of records, of which `count_` from `first_` on are complete. Slots are used again and
  // keep their memory, so that a stream allocates little once it runs. The slot behind the last one
  // is the loop's to fill.
  std::array<v1::ListParticipantsResponse, kSlots> slots_;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::shared_ptr<ListCall> self_;  // until gRPC is done with it
  std::array<size_t, kSlots> sizes_{};
  size_t first_ = 0;
  size_t count_ = 0;
  size_t bytes_ = 0;
  bool writing_ = false;  // slots_[first_] is gRPC's
  bool loop_waits_ = false;
  bool writable_ = true;       // until a write fails
  bool cancelling_ = false;    // context_ is in use, so the call may not finish yet
  bool finish_waits_ = false;  // for that
  bool finished_ = false;
  std::optional<absl::Status> end_;  // no more records come; does not change again
  ListTotals totals_;                // set with end_
};

}  // namespace rollcall
