#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/simulator/record_writer.h"
#include "tests/simulator/records.h"

namespace rollcall::simulator {
namespace {

enum RoomField : size_t {
  kRoomUrl,
  kRoomCodecs,
  kRoomStatus,
  kRoomRoomSid,
  kRoomJoinTime,
  kRoomEndReason,
  kRoomErrorCode,
  kRoomLeaveTime,
  kRoomProperties,
  kRoomAccountSid,
  kRoomDurationSec,
  kRoomMediaRegion,
  kRoomEdgeLocation,
  kRoomErrorCodeUrl,
  kRoomPublisherInfo,
  kRoomParticipantSid,
  kRoomParticipantIdentity,
};

constexpr std::array<absl::string_view, kRoomParticipantIdentity + 1> kRoomNames = {
    "url",
    "codecs",
    "status",
    "room_sid",
    "join_time",
    "end_reason",
    "error_code",
    "leave_time",
    "properties",
    "account_sid",
    "duration_sec",
    "media_region",
    "edge_location",
    "error_code_url",
    "publisher_info",
    "participant_sid",
    "participant_identity",
};

void WriteRoomProperties(int64_t index, Writer* writer) {
  const uint64_t choice = Choose(index, Trait::kProperties, 16);
  if (choice == 0) {
    return writer->Null();
  }
  writer->Open('{');
  if (choice != 1) {
    writer->Key("num_audio_tracks").Int(static_cast<int64_t>(choice % 3));
    writer->Key("num_video_tracks").Int(static_cast<int64_t>(choice % 2));
    if (choice != 2) {
      writer->Key("num_data_tracks").Int(0);
      writer->Key("is_adhoc").Bool(choice % 4 == 0);
      writer->Key("record_on_connect").Bool(false);
    }
  }
  writer->Close('}');
}

void WritePublisherInfo(int64_t index, Writer* writer) {
  const uint64_t choice = Choose(index, Trait::kPublisher, 16);
  if (choice == 0) {
    return writer->Null();
  }
  writer->Open('{');
  if (choice < 8 && choice != 1) {
    writer->Key("name").Text("twilio-video.js");
    writer->Key("sdk_version").Text("2.15.2");
    writer->Key("browser_name").Text("Chrome");
    writer->Key("browser_major").Text("94");
    writer->Key("browser_version").Text("94.0.4606.81");
    writer->Key("platform_name").Text("Mac OS");
    writer->Key("platform_version").Text("10.15.7");
  } else if (choice >= 8) {
    writer->Key("name").Text("twilio-video-ios");
    writer->Key("sdk_version").Text("4.5.0");
    writer->Key("browser_name").Null();
    writer->Key("device_architecture").Text("arm64");
    writer->Key("device_manufacturer").Text("Apple");
    writer->Key("device_model").Text("iPhone13,2");
    writer->Key("platform_name").Text("iOS");
    writer->Key("platform_version").Text("15.0");
  }
  writer->Close('}');
}

void WriteRoomField(const List& list, int64_t index, size_t field, Writer* writer) {
  const auto choose = [index](Trait trait, uint64_t n) { return Choose(index, trait, n); };
  const auto key = [writer, field]() -> Writer& { return writer->Key(kRoomNames[field]); };
  constexpr std::array<absl::string_view, 4> kStatuses = {"completed", "disconnected",
                                                          "in_progress", "connected"};
  const uint64_t status = choose(Trait::kState, kStatuses.size());
  const bool left = status < 2;
  switch (static_cast<RoomField>(field)) {
    case kRoomUrl:
      key().BeginText();
      absl::StrAppend(writer->out(), "https://insights.twilio.com", ListPath(list), "/");
      AppendParticipantSid(list, index, writer->out());
      return writer->EndText();
    case kRoomCodecs: {
      constexpr std::array<absl::string_view, 6> kCodecs = {
          R"(["VP8"])", R"(["H264", "opus"])", R"(["VP9","VP8","opus"])", R"(["opus"])", "[]",
          "null"};
      return key().Raw(kCodecs[choose(Trait::kCodecs, kCodecs.size())]);
    }
    case kRoomStatus:
      return key().Text(kStatuses[status]);
    case kRoomRoomSid:
      return key().Text(ListSid(list));
    case kRoomJoinTime:
      key();
      return WriteIsoTime(index, 0, writer);
    case kRoomEndReason: {
      constexpr std::array<absl::string_view, 3> kReasons = {
          "disconnected_via_api", "signaling_connection_timeout", "room_completed"};
      return left ? key().Text(kReasons[choose(Trait::kEndReason, kReasons.size())]) : key().Null();
    }
    case kRoomErrorCode:
      switch (choose(Trait::kEndReason, 8)) {
        case 0:
          return key().Int(53205);
        case 1:
        case 2:
          return key().Int(0);
        default:
          return key().Null();
      }
    case kRoomLeaveTime:
      if (!left) {
        return key().Null();
      }
      key();
      return WriteIsoTime(index, StayOf(index), writer);
    case kRoomProperties:
      key();
      return WriteRoomProperties(index, writer);
    case kRoomAccountSid:
      return key().Text(list.account_sid);
    case kRoomDurationSec:
      return left ? key().Int(StayOf(index)) : key().Null();
    case kRoomMediaRegion: {
      const uint64_t choice = choose(Trait::kEdge, 10);
      return choice == 0   ? key().Null()
             : choice == 1 ? key().Text("gll")
                           : key().Text(RegionOf(index));
    }
    case kRoomEdgeLocation: {
      constexpr std::array<absl::string_view, 10> kEdges = {
          "ashburn",   "dublin",    "frankfurt", "singapore", "sydney",
          "sao_paulo", "sao-paulo", "roaming",   "umatilla",  "Ashburn"};
      const uint64_t choice = choose(Trait::kEdge, kEdges.size() + 1);
      return choice < kEdges.size() ? key().Text(kEdges[choice]) : key().Null();
    }
    case kRoomErrorCodeUrl:
      switch (choose(Trait::kEndReason, 8)) {
        case 0:
          return key().Text("https://www.twilio.com/docs/api/errors/53205");
        case 1:
          return;
        default:
          return key().Null();
      }
    case kRoomPublisherInfo:
      key();
      return WritePublisherInfo(index, writer);
    case kRoomParticipantSid:
      key().BeginText();
      AppendParticipantSid(list, index, writer->out());
      return writer->EndText();
    case kRoomParticipantIdentity:
      // The identity uses the same texts as a label elsewhere, but every participant of a room has
      // one.
      key();
      return WriteLabel(index, writer);
  }
}

}  // namespace

void AppendVideoInsightsRecord(const List& list, int64_t index, std::string* out) {
  static const auto kListed = AsListed(kRoomNames);
  static const auto kSorted = Alphabetical(kRoomNames);
  Writer writer(index, out);
  writer.Open('{');
  for (size_t field : Choose(index, Trait::kOrder, 8) == 0 ? kSorted : kListed) {
    WriteRoomField(list, index, field, &writer);
  }
  writer.Close('}');
}

}  // namespace rollcall::simulator
