#pragma once

// Generated participant lists of any size. Each record depends only on the list and its index, so
// that a test can compute what must arrive without storing a list.
//
// Pure functions: any thread may call them.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace rollcall::simulator {

// The provider APIs whose lists the simulator serves.
enum class Api {
  kVoiceInsights,  // Twilio Voice Insights, conference participant summaries.
  kVideoInsights,  // Twilio Video Insights, room participants.
  kSignalWire,     // SignalWire compatibility API, conference participants.
  kTwilioCore,     // Twilio core API, live conference participants.
};

// The simulator's default account: a Twilio account sid, or a SignalWire project id.
std::string DefaultAccount(Api api);

// A generated list of `size` participants.
struct List {
  List(Api which, int64_t participants)
      : api(which), size(participants), account_sid(DefaultAccount(which)) {}
  List(Api which, int64_t participants, std::string account)
      : api(which), size(participants), account_sid(std::move(account)) {}

  Api api;
  int64_t size;
  std::string account_sid;
};

// Filters of a list request. Filters that an API does not have stay unset.
struct Filter {
  std::optional<std::string> participant_sid;
  std::optional<std::string> label;
  std::optional<std::string> event;
  std::optional<bool> muted;
  std::optional<bool> hold;
  std::optional<bool> coaching;

  bool empty() const {
    return !participant_sid && !label && !event && !muted && !hold && !coaching;
  }
};

// The sid of the list's conference or room, which encodes the list's size: "CF", "RM" or nothing,
// then a "9" and the size in 31 digits. SignalWire writes these 32 digits as a UUID.
std::string ListSid(const List& list);

// The size that a sid from ListSid() encodes, up to 999,999,999; nullopt for any other sid.
std::optional<int64_t> ListSize(Api api, absl::string_view list_sid);

// Path of the list on the provider's host, without a query: "/v1/Conferences/CF9.../Participants".
std::string ListPath(const List& list);

// The id of the participant at `index` in a URL: its sid, or the sid of its call for the two live
// lists.
std::string ParticipantSid(const List& list, int64_t index);

// Index of the participant with this sid; nullopt if the list does not contain it.
std::optional<int64_t> FindParticipant(const List& list, absl::string_view sid);

// The participant's label, decoded; nullopt if the record has null or no label.
std::optional<std::string> ParticipantLabel(const List& list, int64_t index);

bool Matches(const List& list, int64_t index, const Filter& filter);

// The record at `index`, byte for byte as the list and the fetch of one participant serve it.
std::string ParticipantJson(const List& list, int64_t index);
void AppendParticipantJson(const List& list, int64_t index, std::string* out);

// The same participant as Twilio's core API writes it in XML.
void AppendParticipantXml(const List& list, int64_t index, std::string* out);

}  // namespace rollcall::simulator
