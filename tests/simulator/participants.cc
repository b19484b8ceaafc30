#include "tests/simulator/participants.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/simulator/record_writer.h"
#include "tests/simulator/records.h"

namespace rollcall::simulator {
namespace {

constexpr size_t kSidDigits = 32;

// The first half looks random, like a provider's sid. The second half is the participant's index,
// so that FindParticipant() needs no table.
void AppendSidDigits(const List& list, int64_t index, std::string* out) {
  AppendHex(Mix(Mix(static_cast<uint64_t>(list.size)) ^ static_cast<uint64_t>(index)), 16, out);
  AppendHex(static_cast<uint64_t>(index), 16, out);
}

void AppendUuid(absl::string_view digits, std::string* out) {
  absl::StrAppend(out, digits.substr(0, 8), "-", digits.substr(8, 4), "-", digits.substr(12, 4),
                  "-", digits.substr(16, 4), "-", digits.substr(20));
}

}  // namespace

void AppendCallSid(const List& list, int64_t index, std::string* out) {
  if (list.api == Api::kSignalWire) {
    std::string digits;
    AppendSidDigits(list, index, &digits);
    AppendUuid(digits, out);
    return;
  }
  out->append("CA");
  AppendSidDigits(list, index, out);
}

void AppendParticipantSid(const List& list, int64_t index, std::string* out) {
  switch (list.api) {
    case Api::kVoiceInsights:
      out->append("CP");
      break;
    case Api::kVideoInsights:
      out->append("PA");
      break;
    case Api::kSignalWire:
    case Api::kTwilioCore:
      AppendCallSid(list, index, out);
      return;
  }
  AppendSidDigits(list, index, out);
}

std::string DefaultAccount(Api api) {
  return api == Api::kSignalWire ? "b3877c40-da60-4998-90ad-b792e98472af"
                                 : absl::StrCat("AC", std::string(kSidDigits, 'a'));
}

std::string ListSid(const List& list) {
  std::string digits = "9";
  AppendDigits(list.size, kSidDigits - 1, &digits);
  switch (list.api) {
    case Api::kVoiceInsights:
    case Api::kTwilioCore:
      return absl::StrCat("CF", digits);
    case Api::kVideoInsights:
      return absl::StrCat("RM", digits);
    case Api::kSignalWire:
      break;
  }
  std::string uuid;
  AppendUuid(digits, &uuid);
  return uuid;
}

std::optional<int64_t> ListSize(Api api, absl::string_view list_sid) {
  // A filter may have to scan a whole list, so its size is limited.
  constexpr size_t kSizeDigits = 9;
  const std::string digits = absl::StrReplaceAll(list_sid, {{"-", ""}});
  int64_t size;
  if (digits.size() < kSizeDigits ||
      !absl::SimpleAtoi(digits.substr(digits.size() - kSizeDigits), &size) || size < 0 ||
      ListSid(List(api, size, "")) != list_sid) {
    return std::nullopt;
  }
  return size;
}

std::string ListPath(const List& list) {
  const std::string sid = ListSid(list);
  switch (list.api) {
    case Api::kVoiceInsights:
      return absl::StrCat("/v1/Conferences/", sid, "/Participants");
    case Api::kVideoInsights:
      return absl::StrCat("/v1/Video/Rooms/", sid, "/Participants");
    case Api::kSignalWire:
      return absl::StrCat("/api/laml/2010-04-01/Accounts/", list.account_sid, "/Conferences/", sid,
                          "/Participants");
    case Api::kTwilioCore:
      break;
  }
  return absl::StrCat("/2010-04-01/Accounts/", list.account_sid, "/Conferences/", sid,
                      "/Participants.json");
}

std::string ParticipantSid(const List& list, int64_t index) {
  std::string sid;
  AppendParticipantSid(list, index, &sid);
  return sid;
}

std::optional<int64_t> FindParticipant(const List& list, absl::string_view sid) {
  const std::string digits = absl::StrReplaceAll(sid, {{"-", ""}});
  uint64_t index;
  if (digits.size() < 16 || !absl::SimpleHexAtoi(digits.substr(digits.size() - 16), &index) ||
      index >= static_cast<uint64_t>(list.size) ||
      ParticipantSid(list, static_cast<int64_t>(index)) != sid) {
    return std::nullopt;
  }
  return static_cast<int64_t>(index);
}

std::optional<std::string> ParticipantLabel(const List& list, int64_t index) {
  const bool has_labels = list.api == Api::kVoiceInsights || list.api == Api::kTwilioCore;
  if (!has_labels || KindOfLabel(index) != LabelKind::kText) {
    return std::nullopt;
  }
  std::string label;
  AppendLabelText(index, &label);
  return label;
}

bool Matches(const List& list, int64_t index, const Filter& filter) {
  return (!filter.participant_sid || *filter.participant_sid == ParticipantSid(list, index)) &&
         (!filter.label || filter.label == ParticipantLabel(list, index)) &&
         (!filter.event || HasEvent(index, *filter.event)) &&
         (!filter.muted || *filter.muted == IsMuted(index)) &&
         (!filter.hold || *filter.hold == IsOnHold(index)) &&
         (!filter.coaching || *filter.coaching == IsCoaching(index));
}

std::string ParticipantJson(const List& list, int64_t index) {
  std::string json;
  AppendParticipantJson(list, index, &json);
  return json;
}

void AppendParticipantJson(const List& list, int64_t index, std::string* out) {
  switch (list.api) {
    case Api::kVoiceInsights:
      return AppendVoiceInsightsRecord(list, index, out);
    case Api::kVideoInsights:
      return AppendVideoInsightsRecord(list, index, out);
    case Api::kSignalWire:
    case Api::kTwilioCore:
      return AppendLiveRecord(list, index, out);
  }
}

}  // namespace rollcall::simulator
