#pragma once

// The providers' own published example answers, word for word, compiled in from
// tests/testdata/seeds so that the program needs no files when it runs. Used by the simulator and
// by tests. Constants.

#include "absl/strings/string_view.h"

namespace rollcall::simulator {

extern const absl::string_view kVoiceInsightsSeed;
extern const absl::string_view kVoiceInsightsLabelClientSeed;
extern const absl::string_view kVideoInsightsSeed;
extern const absl::string_view kVideoInsightsEmptySeed;
extern const absl::string_view kSignalWireSeed;

// Under which sids they are served. Both rooms have the same sid in their documents, so the empty
// one is served under another.
inline constexpr absl::string_view kSeedConferenceSid = "CFaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
inline constexpr absl::string_view kSeedRoomSid = "RMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
inline constexpr absl::string_view kSeedEmptyRoomSid = "RMbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
inline constexpr absl::string_view kSeedSignalWireConferenceSid =
    "b3877c40-da60-4998-90ad-b792e98472cf";

}  // namespace rollcall::simulator
