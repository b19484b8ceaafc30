#pragma once

// The providers' published example responses, word for word, compiled in from tests/testdata/seeds
// so that the program needs no files at run time.

#include "absl/strings/string_view.h"

namespace rollcall::simulator {

extern const absl::string_view kVoiceInsightsSeed;
extern const absl::string_view kVoiceInsightsLabelClientSeed;
extern const absl::string_view kVideoInsightsSeed;
extern const absl::string_view kVideoInsightsEmptySeed;
extern const absl::string_view kSignalWireSeed;

// The sids under which the simulator serves them. Both rooms have the same sid in their documents,
// so the empty one is served under another sid.
inline constexpr absl::string_view kSeedConferenceSid = "CFaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
inline constexpr absl::string_view kSeedRoomSid = "RMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
inline constexpr absl::string_view kSeedEmptyRoomSid = "RMbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
inline constexpr absl::string_view kSeedSignalWireConferenceSid =
    "b3877c40-da60-4998-90ad-b792e98472cf";

}  // namespace rollcall::simulator
