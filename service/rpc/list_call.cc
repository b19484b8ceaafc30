#include "service/rpc/list_call.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/error/error.h"
#include "service/rpc/grpc_status.h"

namespace rollcall::service {
namespace {

constexpr size_t kMaxTokenInTrailers = size_t{2} << 10;

// While the server shuts down, gRPC closes a connection with its last call, and bytes that the
// kernel has not sent by then may be lost. So the status is sent a little later than the last
// record.
constexpr std::chrono::milliseconds kStatusDelay{500};

// Owns the bytes; does not copy them.
grpc::Slice SliceOf(std::string bytes) {
  auto* const owned = new std::string(std::move(bytes));
  return {owned->data(), owned->size(),
          [](void* string) { delete static_cast<std::string*>(string); }, owned};
}

}  // namespace

ListCall::ListCall(grpc::CallbackServerContext& context, const CallContext& call,
                   MessageOptions messages, ResumeTokens tokens, std::unique_ptr<CallReport> report,
                   UpstreamLoop& loop, RunningCalls& running, const CallOptions& options)
    : UpstreamCall(std::move(report), loop.scheduler(), running, call, options.caller_stall),
      loop_(loop),
      context_(context),
      handle_(context),
      options_(options),
      queue_(options.send_queue_bytes),
      messages_(queue_, messages, std::move(tokens)),
      flush_task_(scheduler_) {}

ListCall* ListCall::Start(grpc::CallbackServerContext& context, CheckedList list,
                          std::unique_ptr<CallReport> report, Upstream& upstream,
                          UpstreamLoop& loop, RunningCalls& running, const CallOptions& options) {
  ListQuery& query = list.query;
  auto* const call = new ListCall(context, query.call, list.messages, std::move(list.tokens),
                                  std::move(report), loop, running, options);
  const int max_calls = query.call.max_calls;
  absl::Status refusal =
      call->Begin(max_calls, [call, &upstream, query = std::move(query)]() mutable {
        RecordSink& sink = *call;
        call->pager_ =
            std::make_unique<Pager>(call->loop_->transport(), call->loop_->decoder_scratch(),
                                    call->options_.read, upstream, std::move(query), sink);
        call->pager_->Start();
      });
  if (!refusal.ok()) {
    call->end_ = refusal;
    call->Finish(ToGrpcStatus(refusal, call->trace_));
  }
  return call;
}

void ListCall::Stop(const absl::Status& reason) {
  if (pager_ != nullptr) {
    pager_->Stop(reason);
  } else {
    OnListEnd(reason, {});
  }
}

bool ListCall::HasRoom() {
  if (queue_.HasRoom()) return true;
  FlushQueue();
  return !queue_.WaitForRoom();
}

void ListCall::Take(absl::string_view participant, const ListPosition& position) {
  messages_.Add(participant, position);
  if (queue_.should_flush()) FlushQueue();
}

// The next bytes of the page may have arrived already, and a flush costs more than decoding some
// records. If a write is pending and another batch is ready, all that is not flushed waits, so that
// the last message can grow.
void ListCall::Flush() {
  if (messages_.unflushed() == 0 || flush_task_.is_waiting()) return;
  flush_task_.Start([this] {
    if (!messages_.ShouldWait()) FlushQueue();
  });
}

void ListCall::FlushQueue() {
  if (messages_.unflushed() == 0) return;
  report_->OnRecords(messages_.unflushed());
  if (auto batch = messages_.Flush()) WriteBatch(*std::move(batch));
}

void ListCall::WriteBatch(SendQueue::Batch batch) {
  batch_ = SliceOf(std::move(batch.messages));
  batch_ends_ = std::move(batch.ends);
  next_ = 0;
  WriteNext();
}

// All messages of a batch but the last have a buffer hint, so that gRPC sends the batch in one
// piece. The first message of a call also carries the response headers, which must not wait.
void ListCall::WriteNext() {
  const size_t index = next_;
  const size_t begin = index == 0 ? 0 : batch_ends_[index - 1];
  const size_t end = batch_ends_[index];
  const grpc::Slice slice = batch_.sub(begin, end);
  grpc::ByteBuffer message(&slice, 1);
  message_.Swap(&message);  // an assignment would copy it
  grpc::WriteOptions options;
  const bool is_last = index + 1 == batch_ends_.size();
  if (std::exchange(any_written_, true) && !is_last) options.set_buffer_hint();
  next_ = index + 1;
  StartWrite(&message_, options);
}

void ListCall::OnWriteDone(bool ok) {
  ++written_;
  if (ok && next_ < batch_ends_.size()) return WriteNext();
  batch_ = grpc::Slice();
  SendQueue::Next next = ok ? queue_.OnWritten() : queue_.OnWriteFailed();
  if (next.resume_producer) {
    scheduler_.Post([this] {
      if (pager_ == nullptr) return;
      pager_->Resume();
      Flush();
    });
  }
  if (next.batch) {
    WriteBatch(*std::move(next.batch));
  } else if (next.is_drained) {
    EndCall();
  }
}

void ListCall::OnListEnd(const absl::Status& status, const CallTotals& totals) {
  if (end_) return;
  FlushQueue();
  end_ = status;
  totals_ = totals;
  if (!status.ok()) last_token_ = messages_.LastToken();
  if (queue_.Close()) EndCall();
}

// The list has ended, and no write is pending.
void ListCall::EndCall() {
  ReportEnd(*end_, totals_);
  if (!running_.IsDraining()) return FinishCall();
  scheduler_.Post([this] {
    StopTimers();
    scheduler_.RunAfter(kStatusDelay, [this] { FinishCall(); });
  });
}

void ListCall::FinishCall() {
  finishing_ = true;
  AddTrailers();
  Finish(ToGrpcStatus(*end_, trace_));
}

void ListCall::AddTrailers() {
  const auto add = [this](const char* name, int64_t value) {
    context_.AddTrailingMetadata(name, absl::StrCat(value));
  };
  add("rollcall-records", totals_.records);
  add("rollcall-pages", totals_.pages);
  add("rollcall-attempts", totals_.attempts);
  add("rollcall-duplicates-suppressed", totals_.duplicates);
  add("rollcall-unrecognized", totals_.unrecognized);
  // A longer one would leave no room for the error. The last message has it as well, unless the
  // request omits tokens.
  if (!last_token_.empty() && last_token_.size() <= kMaxTokenInTrailers) {
    context_.AddTrailingMetadata("rollcall-resume-token", last_token_);
  }
}

}  // namespace rollcall::service
