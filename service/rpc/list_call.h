// One ListParticipants call: the gRPC side of the stream and its queue of records. It is the one
// place where threads meet: the pager fills the queue on an event loop's thread, gRPC's threads
// write from it (the loop's begins where none of them does), and when it is full the pager, and
// with it the provider's socket, stands still. Records are queued as the bytes that gRPC sends, and
// change threads many at a time.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/query/query.h"
#include "service/record/wire_writer.h"
#include "service/rpc/running_calls.h"
#include "service/rpc/upstream_loops.h"
#include "service/telemetry/call_report.h"
#include "service/upstream/pager.h"
#include "service/upstream/upstream.h"

namespace rollcall {

// What a call that is told to end has for writing what it holds. Then it is cancelled: its caller
// has stopped to read.
inline constexpr std::chrono::seconds kTimeToFinish{5};

class ListCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                       private RecordSink,
                       private RunningCalls::Call {
 public:
  // Begins the call, or refuses it. The result is gRPC's until its OnDone(). All but `query`
  // and `report` outlive every call.
  static ListCall* Start(grpc::CallbackServerContext& context, ListQuery query,
                         std::unique_ptr<CallReport> report, Upstream& upstream, UpstreamLoop& loop,
                         RunningCalls& running, const Config& config);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  ListCall(grpc::CallbackServerContext& context, std::unique_ptr<CallReport> report,
           UpstreamLoop& loop, RunningCalls& running, const Config& config, TraceContext trace,
           std::string caller)
      : context_(context),
        report_(std::move(report)),
        loop_(loop),
        running_(running),
        config_(config),
        trace_(std::move(trace)),
        caller_(std::move(caller)) {}

  void EndWith(const absl::Status& status) override;
  RunningCall Describe() const override { return report_->Describe(bytes_); }
  void StopAt(const Deadline& deadline);
  void WatchCaller();
  void StopSoon(const absl::Status& status);
  void Stop(const absl::Status& status);
  void Cancel();

  bool HasRoom() override;
  void Take(absl::string_view participant, absl::string_view resume_token) override;
  void Flush() override;
  void OnListEnd(const absl::Status& status, const ListTotals& totals) override;
  std::shared_ptr<ListCall> Self();
  bool HasEnded();
  void HandOver();
  void TakeBatch();
  void WriteNext();
  void FinishCall();
  void SendStatus();
  void AddTrailers();

  grpc::CallbackServerContext& context_;
  const std::unique_ptr<CallReport> report_;
  const LoopLease loop_;
  RunningCalls& running_;
  const Config& config_;
  const TraceContext trace_;
  const std::string caller_;

  // Of the loop's thread.
  std::unique_ptr<Pager> pager_;
  std::optional<EventLoop::TimerId> deadline_timer_;
  std::optional<EventLoop::TimerId> cancel_timer_;  // of a caller who does not read the end
  std::optional<EventLoop::TimerId> stall_timer_;
  uint64_t written_at_look_ = 0;  // written_ when the stall timer fired last
  int looks_in_vain_ = 0;         // how often in a row it has not changed

  // A batch while it is collected. Of the loop's thread.
  WireWriter taken_;
  std::vector<size_t> taken_ends_;
  bool flush_waits_ = false;  // for the loop to be idle

  // Records on their way from one thread to the other: messages as gRPC sends them, one behind the
  // other, in memory of one piece.
  struct Batch {
    grpc::Slice messages;
    std::vector<size_t> ends;
  };

  // What is being written, from message next_ on. Of whoever set writing_, and then of whom gRPC
  // tells that a write is done. It hands on what was there before the write; that next_ is atomic,
  // and changes last, says so to ThreadSanitizer as well, which does not see into gRPC.
  Batch batch_;
  grpc::ByteBuffer message_;
  bool any_written_ = false;
  std::atomic<size_t> next_ = 0;
  std::atomic<uint64_t> written_ = 0;  // messages that the caller took, as far as gRPC knows

  // Changed under mutex_.
  std::atomic<size_t> bytes_ = 0;      // of the messages in ready_ and batch_
  std::atomic<bool> writable_ = true;  // until a write fails

  std::mutex mutex_;
  // Guarded by mutex_.
  std::shared_ptr<ListCall> self_;  // until gRPC is done with it
  std::deque<Batch> ready_;         // to be written behind batch_
  bool writing_ = false;            // batch_ is gRPC's
  bool loop_waits_ = false;
  bool cancelling_ = false;    // context_ is in use, so the call may not finish yet
  bool finish_waits_ = false;  // for that
  bool finished_ = false;
  std::optional<absl::Status> end_;  // no more records come; does not change again
  ListTotals totals_;                // set with end_
};

}  // namespace rollcall
