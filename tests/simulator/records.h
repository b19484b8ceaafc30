#pragma once

// One generated record of each API, and the values that filters need. Internal to participants.cc.
// Pure functions.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/simulator/participants.h"

namespace rollcall::simulator {

// Sid of the participant's call: "CA" and 32 digits, or a UUID for SignalWire.
void AppendCallSid(const List& list, int64_t index, std::string* out);

// The participant's id in a URL; see ParticipantSid().
void AppendParticipantSid(const List& list, int64_t index, std::string* out);

void AppendVoiceInsightsRecord(const List& list, int64_t index, std::string* out);
void AppendVideoInsightsRecord(const List& list, int64_t index, std::string* out);
// For SignalWire and Twilio core, which are nearly the same.
void AppendLiveRecord(const List& list, int64_t index, std::string* out);

// For Voice Insights: true if the record has this event.
bool HasEvent(int64_t index, absl::string_view name);

// For the live lists.
bool IsMuted(int64_t index);
bool IsOnHold(int64_t index);
bool IsCoaching(int64_t index);

}  // namespace rollcall::simulator
