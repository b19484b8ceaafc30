#include "service/rpc/message_writer.h"

#include "rollcall/v1/participant_service.pb.h"

namespace rollcall::service {
namespace {

constexpr int kParticipants = v1::ListParticipantBatchesResponse::kParticipantsFieldNumber;
constexpr int kResumeToken = v1::ListParticipantBatchesResponse::kResumeTokenFieldNumber;
// So one writer serves both methods: a message of ListParticipants is a batch of one.
static_assert(v1::ListParticipantsResponse::kParticipantFieldNumber == kParticipants);
static_assert(v1::ListParticipantsResponse::kResumeTokenFieldNumber == kResumeToken);

}  // namespace

void MessageWriter::Add(absl::string_view participant, const ListPosition& position) {
  WireWriter& writer = queue_.writer();
  const bool is_new_page = !last_ || last_->page != position.page;
  if (count_ > 0 &&
      (is_new_page || writer.size() - begin_ + participant.size() > options_.max_bytes)) {
    EndMessage();
  }
  if (count_ == 0) {
    begin_ = writer.size();
  } else {
    earlier_.push_back(last_->record);
  }
  writer.WriteBytes(LengthDelimitedTag(kParticipants), {participant.data(), participant.size()});
  ++unflushed_;
  if (is_new_page) {
    last_ = position;
  } else {
    last_->record = position.record;
    last_->ordinal = position.ordinal;
  }
  if (++count_ == options_.max_participants) EndMessage();
}

std::optional<SendQueue::Batch> MessageWriter::Flush() {
  if (count_ > 0) EndMessage();
  unflushed_ = 0;
  return queue_.Flush();
}

std::string MessageWriter::LastToken() { return last_ ? tokens_.Seal(*last_) : ""; }

void MessageWriter::EndMessage() {
  if (options_.has_tokens) {
    const std::string& token = tokens_.Seal(*last_, earlier_);
    if (!token.empty()) {
      queue_.writer().WriteBytes(LengthDelimitedTag(kResumeToken), token);
    }
  }
  queue_.EndMessage();
  earlier_.clear();
  count_ = 0;
}

}  // namespace rollcall::service
