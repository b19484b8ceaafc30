#pragma once

// The id of a received participant, comparable with ParticipantSid() of participants.h. In a header
// of its own because the simulator itself does not depend on protobuf.

#include <string>

#include "rollcall/v1/participant.pb.h"

namespace rollcall::simulator {

inline const std::string& SidOf(const v1::Participant& participant) {
  if (participant.has_conference_participant_summary()) {
    return participant.conference_participant_summary().participant_sid();
  }
  if (participant.has_room_participant_summary()) {
    return participant.room_participant_summary().participant_sid();
  }
  return participant.live_participant().call_sid();
}

}  // namespace rollcall::simulator
