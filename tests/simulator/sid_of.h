#pragma once

// What names a participant that arrived, to be held against ParticipantSid() of participants.h. In
// a header of its own because the simulator itself has no protobuf. Any thread.

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
