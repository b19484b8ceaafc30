#include "service/rpc/list_call.h"

#include <algorithm>
#include <chrono>
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

v1::ListParticipantsResponse* ListCall::NextSlot() {
  const std::lock_guard lock(mutex_);
  if (IsFull()) {
    loop_waits_ = true;
    return nullptr;
  }
  const size_t index = (first_ + count_) % kSlots;
  if (sizes_[index] > config_.limits.send_queue_bytes / kSlots) {
    slots_[index] = {};  // gives back the memory of a record that was larger than its share
  } else {
    slots_[index].Clear();
  }
  return &slots_[index];
}

void ListCall::Commit(size_t bytes) {
  const v1::ListParticipantsResponse* next = nullptr;
  {
    const std::lock_guard lock(mutex_);
    sizes_[(first_ + count_) % kSlots] = bytes;
    bytes_ += bytes;
    ++count_;
    if (!writing_ && writable_) {
      writing_ = true;
      next = &slots_[first_];
    }
  }
  if (next != nullptr) StartWrite(next);
}

void ListCall::OnListEnd(const absl::Status& status, const ListTotals& totals) {
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
  const v1::ListParticipantsResponse* next = nullptr;
  bool finish = false;
  std::shared_ptr<ListCall> to_wake;
  {
    const std::lock_guard lock(mutex_);
    bytes_ -= sizes_[first_];
    first_ = (first_ + 1) % kSlots;
    --count_;
    if (!ok) writable_ = false;  // the caller is gone; OnCancel() ends the pager
    if (writable_ && count_ > 0) {
      next = &slots_[first_];
    } else {
      writing_ = false;
      finish = end_.has_value();
    }
    // Woken at half, the loop fills the queue in one go.
    if (loop_waits_ && count_ <= kSlots / 2 && bytes_ <= config_.limits.send_queue_bytes / 2) {
      loop_waits_ = false;
      to_wake = self_;
    }
  }
  if (to_wake != nullptr) {
    loop_->Post([call = std::move(to_wake)] {
      if (call->pager_ != nullptr) call->pager_->Resume();
    });
  }
  if (next != nullptr) {
    StartWrite(next);
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

bool ListCall::IsFull() const {
  // A record that is larger than the whole queue may still be its only one.
  return count_ == kSlots || (count_ > 0 && bytes_ >= config_.limits.send_queue_bytes);
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
