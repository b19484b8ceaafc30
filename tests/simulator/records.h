#pragma once

// One made-up record of each API, and what filters ask about it. Used by participants.cc only.
// Functions of their arguments only.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/simulator/participants.h"

namespace rollcall::simulator {

// Sid of the participant's call: "CA" and 32 digits, or a UUID with SignalWire.
void AppendCallSid(const List& list, int64_t index, std::string* out);

// What names the participant in a URL; see ParticipantSid().
void AppendParticipantSid(const List& list, int64_t index, std::string* out);

void AppendVoiceInsightsRecord(const List& list, int64_t index, std::string* out);
void AppendVideoInsightsRecord(const List& list, int64_t index, std::string* out);
// SignalWire's and Twilio core's, which are nearly the same.
void AppendLiveRecord(const List& list, int64_t index, std::string* out);

// Of Voice Insights: whether the record's events hold this one.
bool HasEvent(int64_t index, absl::string_view name);

// Of the live lists.
bool IsMuted(int64_t index);
bool IsOnHold(int64_t index);
bool IsCoaching(int64_t index);

}  // namespace rollcall::simulator
