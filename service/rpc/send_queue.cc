#include "service/rpc/send_queue.h"

#include <utility>

namespace rollcall::service {

bool SendQueue::WaitForRoom() {
  const MutexLock lock(mutex_);
  producer_waits_for_room_ = !writable_ || bytes_ >= max_bytes_;
  return producer_waits_for_room_;
}

bool SendQueue::WaitForWriter() {
  const MutexLock lock(mutex_);
  producer_waits_for_writer_ = !ready_.empty();
  return producer_waits_for_writer_;
}

std::optional<SendQueue::Batch> SendQueue::Flush() {
  if (open_ends_.empty()) return std::nullopt;
  Batch batch{open_.Release(), std::exchange(open_ends_, {})};
  const MutexLock lock(mutex_);
  producer_waits_for_writer_ = false;
  if (!writable_) return std::nullopt;
  bytes_ += batch.messages.size();
  ready_.push_back(std::move(batch));
  return writing_bytes_ ? std::nullopt : TakeBatch();
}

bool SendQueue::Close() {
  const MutexLock lock(mutex_);
  closed_ = true;
  return !writing_bytes_;
}

// Call while the writer is idle.
std::optional<SendQueue::Batch> SendQueue::TakeBatch() {
  if (ready_.empty()) return std::nullopt;
  std::optional<Batch> batch = std::move(ready_.front());
  ready_.pop_front();
  writing_bytes_ = batch->messages.size();
  return batch;
}

SendQueue::Next SendQueue::OnBatchEnd(bool written) {
  const MutexLock lock(mutex_);
  bytes_ -= *std::exchange(writing_bytes_, std::nullopt);
  if (!written) {
    writable_ = false;
    ready_.clear();
    bytes_ = 0;
  }
  Next next;
  next.batch = TakeBatch();
  next.is_drained = closed_ && !next.batch;
  // Resumes at half, so that the producer decodes while the rest is written.
  if (writable_ && bytes_ <= max_bytes_ / 2) {
    next.resume_producer = std::exchange(producer_waits_for_room_, false);
  }
  if (writable_ && ready_.empty() && std::exchange(producer_waits_for_writer_, false)) {
    next.resume_producer = true;
  }
  return next;
}

bool SendQueue::is_writing() const {
  const MutexLock lock(mutex_);
  return writing_bytes_.has_value();
}

}  // namespace rollcall::service
