#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/simulator/record_writer.h"
#include "tests/simulator/records.h"

namespace rollcall::simulator {
namespace {

// Events: null, absent, {}, or a map with one of these sets. An empty list of times occurs too.
constexpr std::array<std::array<absl::string_view, 4>, 6> kEventSets = {{
    {"mute", "", "", ""},
    {"mute", "unmute", "", ""},
    {"hold", "unhold", "", ""},
    {"coaching", "coaching_stopped", "modify_coached_participant", ""},
    {"modify_beep", "modify_exit", "", ""},
    {"mute", "unmute", "hold", "unhold"},
}};

enum class EventsKind { kAbsent, kNull, kEmpty, kMap };

EventsKind KindOfEvents(int64_t index) {
  const uint64_t choice = Choose(index, Trait::kEvents, 100);
  return choice < 5    ? EventsKind::kAbsent
         : choice < 50 ? EventsKind::kNull
         : choice < 55 ? EventsKind::kEmpty
                       : EventsKind::kMap;
}

const std::array<absl::string_view, 4>& EventsOf(int64_t index) {
  return kEventSets[Choose(index, Trait::kEvents, 6000) / 100 % kEventSets.size()];
}

void WriteEvents(int64_t index, Writer* writer) {
  if (KindOfEvents(index) == EventsKind::kNull) {
    return writer->Null();
  }
  writer->Open('{');
  if (KindOfEvents(index) == EventsKind::kMap) {
    int64_t time = 1633661931000 + index * 7000 +
                   static_cast<int64_t>(Choose(index, Trait::kEventTime, 60000));
    for (absl::string_view name : EventsOf(index)) {
      if (name.empty()) {
        break;
      }
      writer->Key(name).Open('[');
      const int64_t times = static_cast<int64_t>(Choose(index, Trait::kEventTime, 4));
      for (int64_t i = 0; i < times; ++i) {
        time += 1250;
        writer->Item().Int(time);
      }
      writer->Close(']');
    }
  }
  writer->Close('}');
}
void WriteTelephoneAddress(int64_t index, uint64_t kind, Writer* writer) {
  std::string* out = writer->out();
  writer->BeginText();
  switch (kind) {
    case 0:
      absl::StrAppend(out, "client:operator_", index % kLabelNumbers);
      break;
    case 1:
      absl::StrAppend(out, "sip:desk", index % kLabelNumbers, "@office.sip.example.com");
      break;
    case 2:
      // One digit short, as in a published example.
      out->append("+1000000");
      AppendDigits(index, 3, out);
      break;
    default:
      out->append("+1000");
      AppendDigits(index, 7, out);
      break;
  }
  writer->EndText();
}

void WriteAverageAndMaximum(absl::string_view key, int64_t average, Writer* writer) {
  writer->Key(key).Open('{');
  writer->Key("avg");
  if (average == 0) {
    writer->Raw("0");
  } else {
    writer->Hundredths(average);
  }
  writer->Key("max");
  if (average == 0) {
    writer->Raw("0.0");
  } else {
    writer->Hundredths(average * 2 + 2);
  }
  writer->Close('}');
}

void WriteMediaMetrics(int64_t index, bool inbound, Writer* writer) {
  const int64_t salted = index * 2 + (inbound ? 1 : 0);
  const int64_t received = static_cast<int64_t>(Choose(salted, Trait::kPackets, 9000));
  const int64_t lost = salted % 5 == 0 ? received / 200 : 0;
  writer->Open('{');
  writer->Key("total_packets_lost").Int(lost);
  writer->Key("total_packets_received").Int(received);
  writer->Key("packet_loss_percentage");
  if (lost > 0) {
    writer->Hundredths(lost * 10000 / (lost + received));
  } else {
    writer->Raw(salted % 3 == 0 ? "0.0" : "0");
  }
  WriteAverageAndMaximum("jitter", received % 90 + 1, writer);
  WriteAverageAndMaximum("latency", salted % 4 == 0 ? received % 12000 : 0, writer);
  writer->Key("mos");
  switch (salted % 8) {
    case 0:
      writer->Null();
      break;
    case 1:
      writer->Hundredths(100 + received % 340);
      break;
    default:
      writer->Raw("4.4");
      break;
  }
  switch (salted % 11) {
    case 0:
      writer->Key("tags").Raw("[\"silent\"]");
      break;
    case 1:
      writer->Key("tags").Raw("[]");
      break;
    case 2:
      writer->Key("last_rtp_count").Int(received);
      writer->Key("unique_ssrc_count").Int(1);
      break;
    default:
      break;
  }
  writer->Close('}');
}

void WriteMetrics(int64_t index, Writer* writer) {
  const uint64_t choice = Choose(index, Trait::kMetrics, 40);
  if (choice == 0) {
    return writer->Null();
  }
  writer->Open('{');
  if (choice == 1) {
    writer->Key("inbound").Null();
  } else {
    writer->Key("inbound");
    WriteMediaMetrics(index, true, writer);
  }
  if (choice != 2) {
    writer->Key("outbound");
    WriteMediaMetrics(index, false, writer);
  }
  writer->Close('}');
}

void WriteConferenceProperties(int64_t index, Writer* writer) {
  const uint64_t choice = Choose(index, Trait::kProperties, 64);
  if (choice == 0) {
    return writer->Null();
  }
  writer->Open('{');
  if (choice != 1) {
    writer->Key("start_conference_on_enter").Bool(choice % 2 == 0);
    writer->Key("end_conference_on_exit").Bool(choice % 5 == 0);
    writer->Key(choice % 3 == 0 ? "early_media" : "play_early_media").Bool(choice % 4 == 0);
    writer->Key("enter_muted").Bool(choice % 7 == 0);
    if (choice != 2) {
      writer->Key("beep_on_enter").Bool(choice % 8 < 2);
      writer->Key("beep_on_exit").Bool(choice % 8 > 5);
    }
    if (choice > 56) {
      writer->Key("recording_enabled").Bool(choice % 2 == 0);
      writer->Key("trim_recording").Null();
      writer->Key("requested_region").Text(RegionOf(index));
    }
  }
  writer->Close('}');
}
enum VoiceField : size_t {
  kVoiceParticipantSid,
  kVoiceLabel,
  kVoiceConferenceSid,
  kVoiceCallSid,
  kVoiceAccountSid,
  kVoiceCallDirection,
  kVoiceFrom,
  kVoiceTo,
  kVoiceCallStatus,
  kVoiceCountryCode,
  kVoiceIsModerator,
  kVoiceJoinTime,
  kVoiceLeaveTime,
  kVoiceDurationSeconds,
  kVoiceOutboundQueueLength,
  kVoiceOutboundTimeInQueue,
  kVoiceJitterBufferSize,
  kVoiceIsCoach,
  kVoiceCoachedParticipants,
  kVoiceParticipantRegion,
  kVoiceConferenceRegion,
  kVoiceCallType,
  kVoiceProcessingState,
  kVoiceProperties,
  kVoiceMetrics,
  kVoiceEvents,
  kVoiceUrl,
};

constexpr std::array<absl::string_view, kVoiceUrl + 1> kVoiceNames = {
    "participant_sid",
    "label",
    "conference_sid",
    "call_sid",
    "account_sid",
    "call_direction",
    "from",
    "to",
    "call_status",
    "country_code",
    "is_moderator",
    "join_time",
    "leave_time",
    "duration_seconds",
    "outbound_queue_length",
    "outbound_time_in_queue",
    "jitter_buffer_size",
    "is_coach",
    "coached_participants",
    "participant_region",
    "conference_region",
    "call_type",
    "processing_state",
    "properties",
    "metrics",
    "events",
    "url",
};

void WriteVoiceField(const List& list, int64_t index, size_t field, Writer* writer) {
  const auto choose = [index](Trait trait, uint64_t n) { return Choose(index, trait, n); };
  const auto key = [writer, field]() -> Writer& { return writer->Key(kVoiceNames[field]); };
  switch (static_cast<VoiceField>(field)) {
    case kVoiceParticipantSid:
      key().BeginText();
      AppendParticipantSid(list, index, writer->out());
      return writer->EndText();
    case kVoiceLabel:
      switch (KindOfLabel(index)) {
        case LabelKind::kAbsent:
          return;
        case LabelKind::kNull:
          return key().Null();
        case LabelKind::kText:
          key();
          return WriteLabel(index, writer);
      }
      return;
    case kVoiceConferenceSid:
      return key().Text(ListSid(list));
    case kVoiceCallSid:
      key().BeginText();
      AppendCallSid(list, index, writer->out());
      return writer->EndText();
    case kVoiceAccountSid:
      return key().Text(list.account_sid);
    case kVoiceCallDirection:
      return key().Text(choose(Trait::kDirection, 3) == 0 ? "inbound" : "outbound");
    case kVoiceFrom:
      key();
      return WriteTelephoneAddress(index, choose(Trait::kAddresses, 12), writer);
    case kVoiceTo:
      key();
      return WriteTelephoneAddress(index + 1, choose(Trait::kAddresses, 120) / 10, writer);
    case kVoiceCallStatus: {
      constexpr std::array<absl::string_view, 10> kStatuses = {
          "completed", "completed", "completed", "completed", "answered",
          "busy",      "fail",      "noanswer",  "ringing",   "canceled"};
      return key().Text(kStatuses[choose(Trait::kStatus, kStatuses.size())]);
    }
    case kVoiceCountryCode: {
      constexpr std::array<absl::string_view, 6> kCountries = {"US", "US", "GB", "DE", "BR", "JP"};
      const uint64_t choice = choose(Trait::kCountry, kCountries.size() + 1);
      return choice == kCountries.size() ? key().Null() : key().Text(kCountries[choice]);
    }
    case kVoiceIsModerator:
      return key().Bool(choose(Trait::kProperties, 64) % 2 == 0);
    case kVoiceJoinTime:
      key();
      return WriteIsoTime(index, 0, writer);
    case kVoiceLeaveTime:
      if (choose(Trait::kState, 20) == 0) {
        return key().Null();
      }
      key();
      return WriteIsoTime(index, StayOf(index), writer);
    case kVoiceDurationSeconds:
      return choose(Trait::kState, 20) == 0 ? key().Null() : key().Int(StayOf(index) + 1);
    case kVoiceOutboundQueueLength:
      switch (choose(Trait::kQueue, 8)) {
        case 0:
          return;
        case 1:
          return key().Null();
        default:
          return key().Int(static_cast<int64_t>(choose(Trait::kQueue, 8) % 3));
      }
    case kVoiceOutboundTimeInQueue:
      return choose(Trait::kQueue, 8) < 2
                 ? key().Null()
                 : key().Int(static_cast<int64_t>(choose(Trait::kQueue, 4000)));
    case kVoiceJitterBufferSize: {
      constexpr std::array<absl::string_view, 4> kSizes = {"large", "small", "medium", "off"};
      const uint64_t choice = choose(Trait::kJitterBuffer, 8);
      return choice < kSizes.size() ? key().Text(kSizes[choice]) : key().Null();
    }
    case kVoiceIsCoach:
      return key().Bool(choose(Trait::kCoach, 20) < 2);
    case kVoiceCoachedParticipants:
      switch (choose(Trait::kCoach, 20)) {
        case 0:
        case 1:
          key().Open('[');
          writer->Item().BeginText();
          AppendCallSid(list, index + 1, writer->out());
          writer->EndText();
          writer->Item().BeginText();
          AppendParticipantSid(list, index + 2, writer->out());
          writer->EndText();
          return writer->Close(']');
        case 2:
        case 3:
          return key().Raw("[]");
        default:
          return key().Null();
      }
    case kVoiceParticipantRegion:
      return key().Text(RegionOf(index));
    case kVoiceConferenceRegion:
      return key().Text("us1");
    case kVoiceCallType: {
      constexpr std::array<absl::string_view, 3> kTypes = {"carrier", "client", "sip"};
      return key().Text(kTypes[choose(Trait::kCallType, kTypes.size())]);
    }
    case kVoiceProcessingState: {
      const uint64_t choice = choose(Trait::kState, 20);
      return key().Text(choice == 0 ? "in_progress" : choice == 1 ? "timeout" : "complete");
    }
    case kVoiceProperties:
      key();
      return WriteConferenceProperties(index, writer);
    case kVoiceMetrics:
      key();
      return WriteMetrics(index, writer);
    case kVoiceEvents:
      if (KindOfEvents(index) == EventsKind::kAbsent) {
        return;
      }
      key();
      return WriteEvents(index, writer);
    case kVoiceUrl:
      key().BeginText();
      absl::StrAppend(writer->out(), "https://insights.twilio.com", ListPath(list), "/");
      AppendParticipantSid(list, index, writer->out());
      return writer->EndText();
  }
}

}  // namespace

bool HasEvent(int64_t index, absl::string_view name) {
  const auto& names = EventsOf(index);
  return !name.empty() && KindOfEvents(index) == EventsKind::kMap &&
         std::find(names.begin(), names.end(), name) != names.end();
}

void AppendVoiceInsightsRecord(const List& list, int64_t index, std::string* out) {
  static const auto kListed = AsListed(kVoiceNames);
  static const auto kLabelLate = Moved(kVoiceNames, kVoiceLabel, kVoiceDurationSeconds);
  static const auto kSorted = Alphabetical(kVoiceNames);
  const uint64_t order = Choose(index, Trait::kOrder, 8);
  Writer writer(index, out);
  writer.Open('{');
  for (size_t field : order == 0 ? kSorted : order == 1 ? kLabelLate : kListed) {
    WriteVoiceField(list, index, field, &writer);
  }
  writer.Close('}');
}

}  // namespace rollcall::simulator
