#include "service/rpc/list_call.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rollcall/v1/participant_service.pb.h"
#include "service/error/error.h"
#include "service/rpc/grpc_status.h"

namespace rollcall {
namespace {

constexpr size_t kMaxTokenInTrailers = size_t{2} << 10;

// While the server shuts down, gRPC closes a connection as soon as its last call is over, and what
// the kernel has not sent by then may be lost, records among it. So the status comes a little later
// than the last record.
constexpr std::chrono::milliseconds kTimeToBeSent{500};

// The bytes themselves, not a copy.
grpc::Slice SliceOf(std::string bytes) {
  auto* const owned = new std::string(std::move(bytes));
  return {owned->data(), owned->size(),
          [](void* string) { delete static_cast<std::string*>(string); }, owned};
}

}  // namespace

ListCall* ListCall::Start(grpc::CallbackServerContext& context, ListQuery query,
                          std::unique_ptr<CallReport> report, Upstream& upstream,
                          UpstreamLoop& loop, RunningCalls& running, const Config& config) {
  std::shared_ptr<ListCall> call(new ListCall(context, std::move(report), loop, running, config,
                                              query.call.trace, query.call.caller));
  {
    const std::lock_guard lock(call->mutex_);
    call->self_ = call;
  }
  if (absl::Status refusal = running.Begin(*call, query.call.caller, query.call.max_calls);
      !refusal.ok()) {
    {
      const std::lock_guard lock(call->mutex_);
      call->end_ = refusal;  // so that nothing else ends the call
    }
    call->report_->End(refusal, {});
    call->Finish(ToGrpcStatus(refusal, call->trace_));
    return call.get();
  }
  loop.Post([call, &upstream, query = std::move(query)]() mutable {
    if (call->HasEnded()) return;
    call->StopAt(query.call.deadline);
    call->WatchCaller();
    call->pager_ = std::make_unique<Pager>(call->loop_->client(), call->config_, upstream,
                                           std::move(query), static_cast<RecordSink&>(*call));
    call->pager_->Start();
  });
  return call.get();
}

void ListCall::StopAt(const Deadline& deadline) {
  const auto left = std::max(deadline.TimeLeft(), std::chrono::milliseconds(0));
  deadline_timer_ = loop_->client().loop().After(left, [this] {
    deadline_timer_.reset();
    StopSoon(MakeError(v1::ERROR_REASON_DEADLINE_EXCEEDED,
                       "the list took longer than its caller or the service allows"));
  });
}

// Looks now and then whether the write that is under way is the one of the last time. A clock at
// each write would tell the same and cost every record.
void ListCall::WatchCaller() {
  constexpr int kLooks = 4;
  const std::chrono::milliseconds stall = config_.limits.caller_stall;
  const auto interval = std::max(stall / kLooks, std::chrono::milliseconds(1));
  stall_timer_ = loop_->client().loop().After(interval, [this, stall] {
    stall_timer_.reset();
    const uint64_t written = written_;
    bool waits = written == written_at_look_;
    {
      const std::lock_guard lock(mutex_);
      waits = waits && writing_;
    }
    looks_in_vain_ = waits ? looks_in_vain_ + 1 : 0;
    written_at_look_ = written;
    if (looks_in_vain_ < kLooks) return WatchCaller();
    StopSoon(MakeError(
        v1::ERROR_REASON_CALLER_TOO_SLOW,
        absl::StrCat("the caller took nothing for ", std::chrono::duration<double>(stall).count(),
                     " s (limits.caller_stall_seconds)")));
  });
}

// Ends the list where it is, and the call whether or not its caller reads that.
void ListCall::StopSoon(const absl::Status& status) {
  EventLoop& loop = loop_->client().loop();
  if (deadline_timer_) loop.Cancel(*std::exchange(deadline_timer_, std::nullopt));
  if (stall_timer_) loop.Cancel(*std::exchange(stall_timer_, std::nullopt));
  cancel_timer_ = loop.After(kTimeToFinish, [this] {
    cancel_timer_.reset();
    Cancel();
  });
  Stop(status);
}

// Ends a write that the caller does not take. gRPC's context is good until the call has finished.
void ListCall::Cancel() {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    cancelling_ = true;
  }
  context_.TryCancel();  // which may call OnWriteDone()
  {
    const std::lock_guard lock(mutex_);
    cancelling_ = false;
    if (!std::exchange(finish_waits_, false)) return;
  }
  SendStatus();
}

void ListCall::EndWith(const absl::Status& status) {
  loop_->Post([call = Self(), status] { call->Stop(status); });
}

void ListCall::Stop(const absl::Status& status) {
  if (pager_ != nullptr) {
    pager_->Stop(status);
  } else {
    OnListEnd(status, {});
  }
}

bool ListCall::HasRoom() {
  // Asked before the record is known, which may be larger than the whole queue.
  const size_t limit = config_.limits.send_queue_bytes;
  if (writable_ && bytes_ + taken_.size() < limit) return true;
  HandOver();
  const std::lock_guard lock(mutex_);
  loop_waits_ = !writable_ || bytes_ >= limit;
  return !loop_waits_;
}

// Writes a v1::ListParticipantsResponse.
void ListCall::Take(absl::string_view participant, absl::string_view resume_token) {
  using Response = v1::ListParticipantsResponse;
  const auto write = [this](int number, absl::string_view value) {
    taken_.WriteBytes(LengthDelimitedTag(number), {value.data(), value.size()});
  };
  write(Response::kParticipantFieldNumber, participant);
  if (!resume_token.empty()) write(Response::kResumeTokenFieldNumber, resume_token);
  taken_ends_.push_back(taken_.size());
  // While some are written, others are decoded.
  if (taken_.size() >= config_.limits.send_queue_bytes / 2) HandOver();
}

// Not at once: the next piece of the page may be there already, and to hand over takes longer than
// to decode some records.
void ListCall::Flush() {
  if (taken_.empty() || std::exchange(flush_waits_, true)) return;
  loop_->client().loop().WhenIdle([call = Self()] {
    call->flush_waits_ = false;
    call->HandOver();
  });
}

void ListCall::HandOver() {
  if (taken_.empty()) return;
  report_->OnRecords(static_cast<int64_t>(taken_ends_.size()));
  Batch batch{SliceOf(taken_.Release()), std::move(taken_ends_)};
  taken_ends_.clear();
  {
    const std::lock_guard lock(mutex_);
    bytes_ += batch.messages.size();
    ready_.push_back(std::move(batch));
    if (writing_ || !writable_) return;
    writing_ = true;
    TakeBatch();
  }
  WriteNext();
}

// Under mutex_, while batch_ is nobody's.
void ListCall::TakeBatch() {
  batch_ = std::move(ready_.front());
  ready_.pop_front();
  next_ = 0;
}

// gRPC keeps what is written with a buffer hint until there is more, or something without: so a
// batch goes to the socket in one piece. The first message takes the head of the answer with it,
// which must not wait.
void ListCall::WriteNext() {
  const size_t index = next_;
  const size_t begin = index == 0 ? 0 : batch_.ends[index - 1];
  const size_t end = batch_.ends[index];
  const grpc::Slice slice = batch_.messages.sub(begin, end);
  grpc::ByteBuffer message(&slice, 1);
  message_.Swap(&message);  // to assign it would be to copy it
  grpc::WriteOptions options;
  if (std::exchange(any_written_, true) && end < batch_.messages.size()) options.set_buffer_hint();
  next_ = index + 1;
  StartWrite(&message_, options);
}

void ListCall::OnListEnd(const absl::Status& status, const ListTotals& totals) {
  HandOver();
  {
    const std::lock_guard lock(mutex_);
    if (end_) return;
    end_ = status;
    totals_ = totals;
    // What was decoded is still written; OnWriteDone() finishes then.
    if (writing_) return;
  }
  FinishCall();
}

std::shared_ptr<ListCall> ListCall::Self() {
  const std::lock_guard lock(mutex_);
  return self_;
}

bool ListCall::HasEnded() {
  const std::lock_guard lock(mutex_);
  return end_.has_value();
}

void ListCall::OnWriteDone(bool ok) {
  ++written_;
  if (ok && next_ < batch_.ends.size()) {
    WriteNext();
    return;
  }
  bool write = false;
  bool finish = false;
  std::shared_ptr<ListCall> to_wake;
  {
    const std::lock_guard lock(mutex_);
    bytes_ -= batch_.messages.size();
    if (!ok) writable_ = false;  // the caller is gone; OnCancel() ends the pager, which waits
    if (!writable_) ready_.clear();
    write = !ready_.empty();
    if (write) {
      TakeBatch();
    } else {
      batch_ = {};
      writing_ = false;
      finish = end_.has_value();
    }
    // Woken at half, the loop decodes while the rest is written.
    if (loop_waits_ && writable_ && bytes_ <= config_.limits.send_queue_bytes / 2) {
      loop_waits_ = false;
      to_wake = self_;
    }
  }
  if (to_wake != nullptr) {
    loop_->Post([call = std::move(to_wake)] {
      if (call->pager_ != nullptr) call->pager_->Resume();
    });
  }
  if (write) {
    WriteNext();
  } else if (finish) {
    FinishCall();
  }
}

void ListCall::OnCancel() { EndWith(absl::CancelledError("the caller ended the call")); }

void ListCall::OnDone() {
  std::shared_ptr<ListCall> self;
  {
    const std::lock_guard lock(mutex_);
    self = std::move(self_);
  }
  // The last reference goes on the loop's thread, behind whatever was posted there before.
  UpstreamLoop& loop = *loop_;
  loop.Post([call = std::move(self)] {
    EventLoop& its_loop = call->loop_->client().loop();
    if (call->deadline_timer_) its_loop.Cancel(*call->deadline_timer_);
    if (call->stall_timer_) its_loop.Cancel(*call->stall_timer_);
    if (call->cancel_timer_) its_loop.Cancel(*call->cancel_timer_);
    call->pager_.reset();
  });
}

// After the last record was written.
void ListCall::FinishCall() {
  absl::Status end;
  ListTotals totals;
  {
    const std::lock_guard lock(mutex_);
    end = *end_;
    totals = totals_;
  }
  report_->End(end, totals);
  running_.End(*this, caller_);  // before the caller can know, and call again
  if (!running_.IsDraining()) return SendStatus();
  loop_->Post([call = Self()] {
    EventLoop& loop = call->loop_->client().loop();
    loop.After(kTimeToBeSent, [call] { call->SendStatus(); });
  });
}

void ListCall::SendStatus() {
  grpc::Status status;
  {
    const std::lock_guard lock(mutex_);
    if (cancelling_) {
      finish_waits_ = true;
      return;
    }
    finished_ = true;
    AddTrailers();
    status = ToGrpcStatus(*end_, trace_);
  }
  Finish(status);
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
  // A longer one would not leave room for the error itself; the last message has it too.
  if (!end_->ok() && !totals_.resume_token.empty() &&
      totals_.resume_token.size() <= kMaxTokenInTrailers) {
    context_.AddTrailingMetadata("rollcall-resume-token", totals_.resume_token);
  }
}

}  // namespace rollcall
