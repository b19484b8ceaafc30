// Writes the participants of a list into messages for the caller: one in each message for
// ListParticipants, several for ListParticipantBatches. A batch ends when it is full, at the end of
// the provider's page, because a resume token names one page, or when it is flushed. On an event
// loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "service/query/query.h"
#include "service/resume/resume_token.h"
#include "service/rpc/send_queue.h"

namespace rollcall::service {

class MessageWriter {
 public:
  // `queue` must outlive the writer.
  MessageWriter(SendQueue& queue, MessageOptions options, ResumeTokens tokens)
      : queue_(queue), options_(options), tokens_(std::move(tokens)) {}

  // Adds a serialized v1::Participant, the list's record at `position`.
  void Add(absl::string_view participant, const ListPosition& position);

  // Participants since the last Flush().
  int64_t unflushed() const { return unflushed_; }

  // Whether not to flush yet: the last message can grow, and the queue's writer has another batch
  // ready. The writer then resumes the producer, see SendQueue::WaitForWriter().
  bool ShouldWait() { return count_ > 0 && queue_.WaitForWriter(); }

  // Ends the message, and hands all messages over to the queue's writer. A batch that is returned
  // must be written now.
  std::optional<SendQueue::Batch> Flush();

  // Seals the token of the last participant. Empty if there is none.
  std::string LastToken();

 private:
  void EndMessage();

  SendQueue& queue_;
  const MessageOptions options_;
  ResumeTokens tokens_;

  int64_t unflushed_ = 0;
  std::optional<ListPosition> last_;  // of the last participant

  // The message under construction; none if `count_` is 0.
  int count_ = 0;
  size_t begin_ = 0;                 // in the queue's buffer
  std::vector<PageRecord> earlier_;  // its records but the last
};

}  // namespace rollcall::service
