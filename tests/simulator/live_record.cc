#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/simulator/record_writer.h"
#include "tests/simulator/records.h"

namespace rollcall::simulator {
namespace {

enum LiveField : size_t {
  kLiveAccountSid,
  kLiveCallSid,
  kLiveLabel,
  kLiveCallSidToCoach,
  kLiveCoaching,
  kLiveConferenceSid,
  kLiveDateCreated,
  kLiveStatus,
  kLiveDateUpdated,
  kLiveEndConferenceOnExit,
  kLiveMuted,
  kLiveHold,
  kLiveStartConferenceOnEnter,
  kLiveQueueTime,
  kLiveUri,
};

constexpr std::array<absl::string_view, kLiveUri + 1> kLiveNames = {
    "account_sid",
    "call_sid",
    "label",
    "call_sid_to_coach",
    "coaching",
    "conference_sid",
    "date_created",
    "status",
    "date_updated",
    "end_conference_on_exit",
    "muted",
    "hold",
    "start_conference_on_enter",
    "queue_time",
    "uri",
};

absl::string_view LiveStatus(Api api, int64_t index) {
  if (api == Api::kSignalWire) {
    constexpr std::array<absl::string_view, 6> kStatuses = {
        "in-progress", "in-progress", "in-progress", "in-progress", "completed", "complete"};
    return kStatuses[Choose(index, Trait::kStatus, kStatuses.size())];
  }
  constexpr std::array<absl::string_view, 9> kStatuses = {"connected",  "connected", "connected",
                                                          "connected",  "queued",    "ringing",
                                                          "connecting", "complete",  "failed"};
  return kStatuses[Choose(index, Trait::kStatus, kStatuses.size())];
}

void WriteLiveField(const List& list, int64_t index, size_t field, Writer* writer) {
  const bool core = list.api == Api::kTwilioCore;
  const auto key = [writer, field]() -> Writer& { return writer->Key(kLiveNames[field]); };
  switch (static_cast<LiveField>(field)) {
    case kLiveAccountSid:
      return key().Text(list.account_sid);
    case kLiveCallSid:
      key().BeginText();
      AppendCallSid(list, index, writer->out());
      return writer->EndText();
    case kLiveLabel:
      if (!core || KindOfLabel(index) == LabelKind::kAbsent) {
        return;
      }
      if (KindOfLabel(index) == LabelKind::kNull) {
        return key().Null();
      }
      key();
      return WriteLabel(index, writer);
    case kLiveCallSidToCoach:
      if (!IsCoaching(index)) {
        return key().Null();
      }
      key().BeginText();
      AppendCallSid(list, index + 1, writer->out());
      return writer->EndText();
    case kLiveCoaching:
      return key().Bool(IsCoaching(index));
    case kLiveConferenceSid:
      return key().Text(ListSid(list));
    case kLiveDateCreated:
      key();
      return WriteMailTime(list.api, index, 0, writer);
    case kLiveStatus:
      return key().Text(LiveStatus(list.api, index));
    case kLiveDateUpdated:
      key();
      return WriteMailTime(list.api, index, StayOf(index), writer);
    case kLiveEndConferenceOnExit:
      return key().Bool(Chance(index, Trait::kExit, 25));
    case kLiveMuted:
      return key().Bool(IsMuted(index));
    case kLiveHold:
      return key().Bool(IsOnHold(index));
    case kLiveStartConferenceOnEnter:
      return key().Bool(!Chance(index, Trait::kExit, 10));
    case kLiveQueueTime:
      if (!core) {
        return;
      }
      switch (Choose(index, Trait::kQueue, 8)) {
        case 0:
          return;
        case 1:
          key().BeginText();
          writer->Int(static_cast<int64_t>(Choose(index, Trait::kQueue, 4000)));
          return writer->EndText();
        default:
          return key().Null();
      }
    case kLiveUri:
      key().BeginText();
      absl::StrAppend(writer->out(), absl::StripSuffix(ListPath(list), ".json"), "/");
      AppendCallSid(list, index, writer->out());
      absl::StrAppend(writer->out(), ".json");
      return writer->EndText();
  }
}

}  // namespace

bool IsMuted(int64_t index) { return Chance(index, Trait::kMuted, 30); }
bool IsOnHold(int64_t index) { return Chance(index, Trait::kHold, 15); }
bool IsCoaching(int64_t index) { return Chance(index, Trait::kCoach, 8); }

void AppendLiveRecord(const List& list, int64_t index, std::string* out) {
  static const auto kListed = AsListed(kLiveNames);
  static const auto kSorted = Alphabetical(kLiveNames);
  Writer writer(index, out);
  writer.Open('{');
  for (size_t field : Choose(index, Trait::kOrder, 8) == 0 ? kSorted : kListed) {
    WriteLiveField(list, index, field, &writer);
  }
  writer.Close('}');
}

void AppendParticipantXml(const List& list, int64_t index, std::string* out) {
  const auto truth = [](bool value) { return value ? "true" : "false"; };
  absl::StrAppend(out, "<Participant><CallSid>");
  AppendCallSid(list, index, out);
  absl::StrAppend(out, "</CallSid><ConferenceSid>", ListSid(list), "</ConferenceSid><AccountSid>",
                  list.account_sid, "</AccountSid><Muted>", truth(IsMuted(index)), "</Muted><Hold>",
                  truth(IsOnHold(index)), "</Hold><Coaching>", truth(IsCoaching(index)),
                  "</Coaching><Status>", LiveStatus(list.api, index), "</Status></Participant>");
}

}  // namespace rollcall::simulator
