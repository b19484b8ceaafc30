#include "service/rpc/list_call.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/error/error.h"
#include "service/rpc/grpc_status.h"

namespace rollcall {
namespace {

constexpr size_t kMaxTokenInTrailers = size_t{2} << 10;

}  // namespace

ListCall* ListCall::Start(grpc::CallbackServerContext& context, ListQuery query, Upstream& upstream,
                          UpstreamLoop& loop, RunningCalls& running, const Config& config) {
  std::shared_ptr<ListCall> call(new ListCall(context, loop, running, config));
  {
    const std::lock_guard lock(call->mutex_);
    call->self_ = call;
  }
  if (absl::Status refusal = running.Begin(*call); !refusal.ok()) {
    call->Finish(ToGrpcStatus(refusal));
    return call.get();
  }
  loop.Post([call, &upstream, query = std::move(query)]() mutable {
    if (call->HasEnded()) return;
    call->StopAt(query.deadline);
    call->pager_ = std::make_unique<Pager>(call->loop_->client(), call->config_, upstream,
                                           std::move(query), static_cast<RecordSink&>(*call));
    call->pager_->Start();
  });
  return call.get();
}

void ListCall::StopAt(const Deadline& deadline) {
  const auto left = std::max(deadline.TimeLeft(), std::chrono::milliseconds(0));
  deadline_timer_ = loop_->client().loop().After(left, [this] {
    deadline_timer_ = loop_->client().loop().After(kTimeToFinish, [this] {
      deadline_timer_.reset();
      Cancel();
    });
    Stop(MakeError(v1::ERROR_REASON_DEADLINE_EXCEEDED,
                   "the list took longer than its caller or the service allows"));
  });
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
  FinishCall();
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
  const size_t limit = config_.limits.send_queue_bytes;
  // A record that is larger than the whole queue may still be its only one.
  if (bytes_ + taken_bytes_ < limit) return true;
  Flush();
  const std::lock_guard lock(mutex_);
  loop_waits_ = bytes_ >= limit;
  return !loop_waits_;
}

void ListCall::Take(const v1::ListParticipantsResponse& record) {
  const size_t size = record.ByteSizeLong();
  grpc::Slice slice(size);
  record.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  taken_.emplace_back(&slice, 1);
  taken_bytes_ += size;
  // While some are written, others are decoded.
  if (taken_bytes_ >= config_.limits.send_queue_bytes / 4) Flush();
}

void ListCall::Flush() {
  if (taken_.empty()) return;
  bool write = false;
  {
    const std::lock_guard lock(mutex_);
    bytes_ += taken_bytes_;
    ready_.insert(ready_.end(), std::make_move_iterator(taken_.begin()),
                  std::make_move_iterator(taken_.end()));
    if (!writing_ && writable_) {
      writing_ = write = true;
      NextBatch();
    }
  }
  taken_.clear();
  taken_bytes_ = 0;
  if (write) WriteNext();
}

// Under mutex_, while batch_ is nobody's.
void ListCall::NextBatch() {
  batch_.clear();
  batch_.swap(ready_);
  batch_bytes_ = bytes_;
  next_ = 0;
}

// gRPC keeps what is written with a buffer hint until there is more, or something without: so a
// batch goes to the socket in one piece. The first message takes the head of the answer with it,
// which must not wait.
void ListCall::WriteNext() {
  grpc::WriteOptions options;
  if (any_written_ && next_ + 1 < batch_.size()) options.set_buffer_hint();
  any_written_ = true;
  StartWrite(&batch_[next_], options);
}

void ListCall::OnListEnd(const absl::Status& status, const ListTotals& totals) {
  Flush();
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
  batch_[next_++].Clear();
  if (ok && next_ < batch_.size()) {
    WriteNext();
    return;
  }
  bool write = false;
  bool finish = false;
  std::shared_ptr<ListCall> to_wake;
  {
    const std::lock_guard lock(mutex_);
    bytes_ -= batch_bytes_;
    if (!ok) writable_ = false;  // the caller is gone; OnCancel() ends the pager
    write = writable_ && !ready_.empty();
    if (write) {
      NextBatch();
    } else {
      writing_ = false;
      finish = end_.has_value();
    }
    // Woken at half, the loop decodes while the rest is written.
    if (loop_waits_ && bytes_ <= config_.limits.send_queue_bytes / 2) {
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

void ListCall::OnCancel() {
  loop_->Post([call = Self()] {
    call->pager_.reset();
    call->OnListEnd(absl::CancelledError("the caller ended the call"), {});
  });
}

void ListCall::OnDone() {
  std::shared_ptr<ListCall> self;
  {
    const std::lock_guard lock(mutex_);
    self = std::move(self_);
  }
  // The last reference goes on the loop's thread, behind whatever was posted there before.
  UpstreamLoop& loop = *loop_;
  loop.Post([call = std::move(self)] {
    if (call->deadline_timer_) call->loop_->client().loop().Cancel(*call->deadline_timer_);
    call->pager_.reset();
  });
}

// After the last record was written.
void ListCall::FinishCall() {
  running_.End(*this);  // before the caller can know, and call again
  grpc::Status status;
  {
    const std::lock_guard lock(mutex_);
    if (cancelling_) {
      finish_waits_ = true;
      return;
    }
    finished_ = true;
    AddTrailers();
    status = ToGrpcStatus(*end_);
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
