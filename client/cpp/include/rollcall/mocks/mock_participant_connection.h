// A gMock of ParticipantConnection for the tests of programs, which link GTest::gmock. Example:
//
//   auto connection = std::make_shared<rollcall::mocks::MockParticipantConnection>();
//   EXPECT_CALL(*connection, List)
//       .WillOnce(Return(ByMove(rollcall::mocks::MakeParticipantRange({participant}))));
//   const rollcall::ParticipantClient client(connection);
#pragma once

#include <gmock/gmock.h>

#include "rollcall/participant_connection.h"

namespace rollcall::mocks {

class MockParticipantConnection : public ParticipantConnection {
 public:
  MOCK_METHOD(ParticipantRange, List,
              (const v1::ListParticipantsRequest& request, const CallOptions& options), (override));
  MOCK_METHOD(absl::StatusOr<v1::Participant>, Get,
              (const v1::GetParticipantRequest& request, const CallOptions& options), (override));
};

}  // namespace rollcall::mocks
