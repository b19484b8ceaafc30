// The mocks that the library ships, used as a program's own tests would.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "rollcall/mocks/make_participant_range.h"
#include "rollcall/mocks/mock_participant_connection.h"
#include "rollcall/participant_client.h"

namespace rollcall {
namespace {

using mocks::MakeParticipantRange;
using mocks::MakeResumableParticipantRange;
using mocks::MockParticipantConnection;
using ::testing::_;
using ::testing::ByMove;
using ::testing::ElementsAre;
using ::testing::Property;
using ::testing::Return;

v1::Participant WithLabel(const std::string& label) {
  v1::Participant participant;
  participant.mutable_live_participant()->set_label(label);
  return participant;
}

// A program under test: the labels in a conference, and where to resume after a failure.
struct Labels {
  std::vector<std::string> labels;
  std::string resume_token;
  absl::Status status;
};

Labels ReadLabels(const ParticipantClient& client, const std::string& conference) {
  v1::ListParticipantsRequest request;
  request.mutable_live_participants()->set_conference_sid(conference);
  Labels result;
  ParticipantRange range = client.List(request);
  for (const absl::StatusOr<v1::Participant>& participant : range) {
    result.status = participant.status();
    if (participant.ok()) result.labels.push_back(participant->live_participant().label());
  }
  result.resume_token = range.resume_token();
  return result;
}

class MocksTest : public ::testing::Test {
 protected:
  const std::shared_ptr<MockParticipantConnection> connection_ =
      std::make_shared<MockParticipantConnection>();
  const ParticipantClient client_{connection_};
};

TEST_F(MocksTest, ListYieldsGivenParticipants) {
  EXPECT_CALL(*connection_,
              List(Property(&v1::ListParticipantsRequest::live_participants,
                            Property(&v1::LiveParticipantsQuery::conference_sid, "CF1")),
                   _))
      .WillOnce(Return(ByMove(MakeParticipantRange({WithLabel("A"), WithLabel("B")}))));
  const Labels result = ReadLabels(client_, "CF1");
  EXPECT_THAT(result.labels, ElementsAre("A", "B"));
  EXPECT_TRUE(result.status.ok());
}

TEST_F(MocksTest, ListEndsWithGivenError) {
  std::vector<v1::ListParticipantsResponse> responses(2);
  *responses[0].mutable_participant() = WithLabel("A");
  responses[0].set_resume_token("after A");
  *responses[1].mutable_participant() = WithLabel("B");
  responses[1].set_resume_token("after B");
  EXPECT_CALL(*connection_, List)
      .WillOnce(
          Return(ByMove(MakeResumableParticipantRange(responses, absl::AbortedError("changed")))));
  const Labels result = ReadLabels(client_, "CF1");
  EXPECT_THAT(result.labels, ElementsAre("A", "B"));
  EXPECT_EQ(result.resume_token, "after B");
  EXPECT_EQ(result.status, absl::AbortedError("changed"));
}

TEST_F(MocksTest, EmptyListAndErrorAlone) {
  EXPECT_CALL(*connection_, List)
      .WillOnce(Return(ByMove(MakeParticipantRange({}))))
      .WillOnce(
          Return(ByMove(MakeParticipantRange({}, absl::NotFoundError("no such conference")))));
  EXPECT_TRUE(ReadLabels(client_, "CF1").status.ok());
  EXPECT_EQ(ReadLabels(client_, "CF2").status, absl::NotFoundError("no such conference"));
}

TEST_F(MocksTest, CancelledRangeEndsWithCancelled) {
  EXPECT_CALL(*connection_, List)
      .WillOnce(Return(ByMove(MakeParticipantRange({WithLabel("A"), WithLabel("B")}))));
  ParticipantRange range = client_.List({});
  auto it = range.begin();
  ASSERT_TRUE(it->ok());
  range.Cancel();
  ++it;
  ASSERT_TRUE(it != range.end());
  EXPECT_TRUE(absl::IsCancelled(it->status()));
  EXPECT_TRUE(++it == range.end());
}

TEST_F(MocksTest, GetReturnsGivenParticipant) {
  EXPECT_CALL(*connection_, Get)
      .WillOnce(Return(WithLabel("A")))
      .WillOnce(Return(absl::NotFoundError("gone")));
  EXPECT_EQ(client_.Get({})->live_participant().label(), "A");
  EXPECT_TRUE(absl::IsNotFound(client_.Get({}).status()));
}

}  // namespace
}  // namespace rollcall
