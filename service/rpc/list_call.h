// One ListParticipants or ListParticipantBatches call: takes records from the pager on an event
// loop's thread, and writes them to gRPC's stream. The SendQueue passes them between the threads.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/query/query.h"
#include "service/rpc/call_handle.h"
#include "service/rpc/call_options.h"
#include "service/rpc/message_writer.h"
#include "service/rpc/send_queue.h"
#include "service/rpc/upstream_call.h"
#include "service/rpc/upstream_loops.h"
#include "service/upstream/pager.h"
#include "service/upstream/upstream.h"

namespace rollcall::service {

class ListCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                       private RecordSink,
                       private UpstreamCall {
 public:
  // Starts the call, or refuses it. The result belongs to gRPC until its OnDone(). All arguments
  // but `list` and `report` must outlive the call.
  static ListCall* Start(grpc::CallbackServerContext& context, CheckedList list,
                         std::unique_ptr<CallReport> report, Upstream& upstream, UpstreamLoop& loop,
                         RunningCalls& running, const CallOptions& options);

  void OnWriteDone(bool ok) override;
  void OnCancel() override { OnCallCancelled(); }
  void OnDone() override { OnCallDone(); }

 private:
  ListCall(grpc::CallbackServerContext& context, const CallContext& call, MessageOptions messages,
           ResumeTokens tokens, std::unique_ptr<CallReport> report, UpstreamLoop& loop,
           RunningCalls& running, const CallOptions& options);

  RunningCall Describe() const override { return report_->Describe(queue_.bytes()); }
  void Stop(const absl::Status& reason) override;
  void Cancel() override { handle_.Cancel(); }
  StallDetector::Progress Progress() const override {
    return {written_, queue_.is_writing() || finishing_};
  }
  bool HasEnded() const override { return end_.has_value(); }

  bool HasRoom() override;
  void Take(absl::string_view participant, const ListPosition& position) override;
  void Flush() override;
  void OnListEnd(const absl::Status& status, const CallTotals& totals) override;

  void FlushQueue();
  void WriteBatch(SendQueue::Batch batch);
  void WriteNext();
  void EndCall();
  void FinishCall();
  void AddTrailers();

  const LoopLease loop_;
  grpc::CallbackServerContext& context_;
  CallHandle handle_;
  const CallOptions& options_;
  SendQueue queue_;

  // Accessed on the loop's thread only.
  MessageWriter messages_;
  std::unique_ptr<Pager> pager_;
  IdleTask flush_task_;

  // How the list ended, for the thread that ends the call. Set on the loop's thread before the
  // queue is closed.
  std::optional<absl::Status> end_;
  CallTotals totals_;
  std::string last_token_;  // of the last record; empty if the list is complete

  // The batch that is being written, and its next message. Accessed only by the thread that starts
  // to write a batch, and by gRPC's threads in OnWriteDone(), one after the other. next_ is atomic
  // and changes last to tell ThreadSanitizer, which does not see into gRPC, of that order.
  grpc::Slice batch_;
  std::vector<size_t> batch_ends_;
  grpc::ByteBuffer message_;
  bool any_written_ = false;
  std::atomic<size_t> next_ = 0;

  std::atomic<uint64_t> written_ = 0;    // messages that the caller has taken, as far as gRPC knows
  std::atomic<bool> finishing_ = false;  // the status is passed to gRPC
};

}  // namespace rollcall::service
