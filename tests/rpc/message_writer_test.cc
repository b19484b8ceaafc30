// How participants are divided into messages, and that each participant's position can be resumed
// from.
#include "service/rpc/message_writer.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rollcall/v1/participant_service.pb.h"

namespace rollcall::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class MessageWriterTest : public ::testing::Test {
 protected:
  static ResumeTokens Tokens() { return ResumeTokens(CurrentSecret(Secret("secret")), "list"); }

  void Begin(MessageOptions options) { writer_.emplace(queue_, options, Tokens()); }

  static std::string Participant(size_t label_size = 1) {
    v1::Participant participant;
    participant.mutable_live_participant()->set_label(std::string(label_size, 'x'));
    return participant.SerializeAsString();
  }

  // Adds the next record of the list.
  void Add(const std::string& page, size_t label_size = 1) {
    const uint64_t number = ++added_;
    writer_->Add(Participant(label_size), {page, {number * 7, 1}, number});
  }

  // Flushes, and returns the messages.
  std::vector<v1::ListParticipantBatchesResponse> Messages() {
    std::vector<v1::ListParticipantBatchesResponse> messages;
    auto batch = writer_->Flush();
    while (batch) {
      size_t begin = 0;
      for (const size_t end : batch->ends) {
        EXPECT_TRUE(
            messages.emplace_back().ParseFromString(batch->messages.substr(begin, end - begin)));
        begin = end;
      }
      batch = queue_.OnWritten().batch;
    }
    return messages;
  }

  std::vector<int> Sizes() {
    std::vector<int> sizes;
    for (const auto& message : Messages()) sizes.push_back(message.participants_size());
    return sizes;
  }

  SendQueue queue_{size_t{1} << 20};
  std::optional<MessageWriter> writer_;
  uint64_t added_ = 0;
};

TEST_F(MessageWriterTest, WritesOneParticipantPerMessage) {
  Begin({.max_participants = 1});
  Add("a");
  Add("a");
  EXPECT_EQ(writer_->unflushed(), 2);
  EXPECT_THAT(Sizes(), ElementsAre(1, 1));
  EXPECT_EQ(writer_->unflushed(), 0);
}

TEST_F(MessageWriterTest, EndsABatchThatIsFull) {
  Begin({.max_participants = 3, .max_bytes = 1 << 20});
  for (int i = 0; i < 7; ++i) Add("a");
  EXPECT_THAT(Sizes(), ElementsAre(3, 3, 1));
}

TEST_F(MessageWriterTest, EndsABatchAtTheEndOfAPage) {
  Begin({.max_participants = 10, .max_bytes = 1 << 20});
  for (const char* page : {"a", "a", "b", "b", "b", "a"}) Add(page);
  EXPECT_THAT(Sizes(), ElementsAre(2, 3, 1));
}

TEST_F(MessageWriterTest, EndsABatchThatIsFlushed) {
  Begin({.max_participants = 10, .max_bytes = 1 << 20});
  Add("a");
  EXPECT_THAT(Sizes(), ElementsAre(1));
  Add("a");
  Add("a");
  EXPECT_THAT(Sizes(), ElementsAre(2));
  EXPECT_THAT(Messages(), IsEmpty());
}

TEST_F(MessageWriterTest, WaitsWhileTheLastMessageCanGrow) {
  Begin({.max_participants = 3, .max_bytes = 1 << 20});
  EXPECT_FALSE(writer_->ShouldWait());
  Add("a");
  ASSERT_TRUE(writer_->Flush());  // is being written
  Add("a");
  EXPECT_FALSE(writer_->ShouldWait());
  EXPECT_FALSE(writer_->Flush());  // is ready
  EXPECT_FALSE(writer_->ShouldWait());
  for (const char* page : {"a", "a", "b"}) {
    Add(page);
    EXPECT_TRUE(writer_->ShouldWait());
  }
  Add("b");
  Add("b");
  EXPECT_FALSE(writer_->ShouldWait());  // full
}

TEST_F(MessageWriterTest, DoesNotWaitWithOneParticipantPerMessage) {
  Begin({.max_participants = 1});
  for (int i = 0; i < 3; ++i) {
    Add("a");
    EXPECT_FALSE(writer_->ShouldWait());
    writer_->Flush();
  }
}

TEST_F(MessageWriterTest, KeepsABatchBelowItsMaximumOfBytes) {
  Begin({.max_participants = 10, .max_bytes = 250});
  for (const size_t size : {90, 90, 90, 240, 1000, 1, 1}) Add("a", size);
  EXPECT_THAT(Sizes(), ElementsAre(2, 1, 1, 1, 2));
}

TEST_F(MessageWriterTest, ResumesAfterEveryParticipantOfABatch) {
  Begin({.max_participants = 10, .max_bytes = 1 << 20});
  for (const char* page : {"a", "a", "a", "b", "b"}) Add(page);
  const auto messages = Messages();
  ASSERT_THAT(messages, SizeIs(2));
  uint64_t ordinal = 0;
  for (const auto& message : messages) {
    for (int i = 1; i <= message.participants_size(); ++i) {
      const auto position = Tokens().Open(absl::StrCat(message.resume_token(), ":", i));
      ASSERT_TRUE(position);
      EXPECT_EQ(position->ordinal, ++ordinal);
      EXPECT_EQ(position->record, (PageRecord{ordinal * 7, 1}));
      EXPECT_EQ(position->page, ordinal <= 3 ? "a" : "b");
    }
    const auto last = Tokens().Open(message.resume_token());
    ASSERT_TRUE(last);
    EXPECT_EQ(last->ordinal, ordinal);
  }
}

TEST_F(MessageWriterTest, SealsTheTokenOfTheLastParticipantOnly) {
  Begin({.max_participants = 2, .max_bytes = 1 << 20, .has_tokens = false});
  EXPECT_EQ(writer_->LastToken(), "");
  for (int i = 0; i < 3; ++i) Add("a");
  for (const auto& message : Messages()) EXPECT_EQ(message.resume_token(), "");
  const auto last = Tokens().Open(writer_->LastToken());
  ASSERT_TRUE(last);
  EXPECT_EQ(last->ordinal, 3U);
}

}  // namespace
}  // namespace rollcall::service
