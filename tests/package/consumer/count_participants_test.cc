// Uses the library's mock as a user's test would.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rollcall/mocks/make_participant_range.h>
#include <rollcall/mocks/mock_participant_connection.h>
#include <rollcall/participant_client.h>

#include <memory>

TEST(CountParticipantsTest, CountsParticipantsOfTheMock) {
  const auto connection = std::make_shared<rollcall::mocks::MockParticipantConnection>();
  EXPECT_CALL(*connection, List)
      .WillOnce(testing::Return(testing::ByMove(rollcall::mocks::MakeParticipantRange(
          {rollcall::v1::Participant(), rollcall::v1::Participant()}))));
  const rollcall::ParticipantClient client(connection);
  int count = 0;
  for (const auto& participant : client.List({})) count += participant.ok() ? 1 : 0;
  EXPECT_EQ(count, 2);
}
