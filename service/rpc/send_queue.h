// Messages on their way from the producer, the event loop's thread, to the writer, which sends them
// to the caller on gRPC's threads. They change threads in batches: waking a thread costs more than
// decoding many records. A full queue pauses the producer, and with it the provider's socket.
#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "service/record/wire_writer.h"
#include "service/sync/mutex.h"

namespace rollcall::service {

class SendQueue {
 public:
  struct Batch {
    std::string messages;      // serialized, one after the other
    std::vector<size_t> ends;  // of each message
  };

  // What is to be done when a batch has been written.
  struct Next {
    std::optional<Batch> batch;    // write this one; if there is none, the writer is idle
    bool resume_producer = false;  // the room or the writer that it waits for is there
    bool is_drained = false;       // the queue is closed, and there is nothing left to write
  };

  // HasRoom() is false once unwritten messages have `max_bytes` in total. The last message may
  // exceed it, because its size is unknown before it is added.
  explicit SendQueue(size_t max_bytes) : max_bytes_(max_bytes) {}

  // The producer's functions. Each batch that Flush() returns must be written now.

  bool HasRoom() const { return writable_ && bytes_ + open_.size() < max_bytes_; }

  // Call after Flush(). True: there is still no room; a later Next has `resume_producer` set,
  // unless a write fails. False: there is room now.
  bool WaitForRoom();

  // Whether a batch is ready behind the one that is being written. If so, the producer may wait and
  // let an incomplete message grow: the Next that takes the last ready batch has `resume_producer`
  // set, unless a Flush() comes first or a write fails.
  bool WaitForWriter();

  // Where to serialize the next message. EndMessage() completes it.
  WireWriter& writer() { return open_; }
  void EndMessage() { open_ends_.push_back(open_.size()); }

  // Whether the messages since the last Flush() should not wait for more: the writer writes one
  // half of the queue while the producer fills the other.
  bool should_flush() const { return open_.size() >= max_bytes_ / 2; }

  // Hands all messages over to the writer; all must be ended. Nothing if there are none or the
  // writer is busy.
  std::optional<Batch> Flush();

  // After Flush(): no more messages follow. True if all have been written or dropped; otherwise a
  // later Next says so.
  bool Close();

  // The writer's functions, called when a batch is done.

  Next OnWritten() { return OnBatchEnd(true); }
  // The caller is gone. Drops all messages; there will never be room again.
  Next OnWriteFailed() { return OnBatchEnd(false); }

  // From any thread.

  // Flushed, and not yet written.
  size_t bytes() const { return bytes_; }
  bool is_writing() const;

 private:
  std::optional<Batch> TakeBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Next OnBatchEnd(bool written);

  const size_t max_bytes_;

  // The producer's: messages since the last Flush().
  WireWriter open_;
  std::vector<size_t> open_ends_;

  // Written under mutex_.
  std::atomic<size_t> bytes_ = 0;
  std::atomic<bool> writable_ = true;

  mutable Mutex mutex_;
  std::deque<Batch> ready_ ABSL_GUARDED_BY(mutex_);
  // Of the batch that is being written; nothing if the writer is idle.
  std::optional<size_t> writing_bytes_ ABSL_GUARDED_BY(mutex_);
  bool producer_waits_for_room_ ABSL_GUARDED_BY(mutex_) = false;
  bool producer_waits_for_writer_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace rollcall::service
