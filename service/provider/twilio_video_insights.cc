// Twilio Video Insights: summaries of the participants of a video room.
#include "absl/strings/str_cat.h"
#include "rollcall/v1/room_participant_summary.pb.h"
#include "service/provider/participant_api.h"
#include "service/provider/sid.h"

namespace rollcall::service {
namespace {

constexpr EnumText kRoomStatuses[] = {
    {"completed", v1::ROOM_PARTICIPANT_STATUS_COMPLETED},
    {"in_progress", v1::ROOM_PARTICIPANT_STATUS_IN_PROGRESS},
    {"connected", v1::ROOM_PARTICIPANT_STATUS_CONNECTED},
    {"disconnected", v1::ROOM_PARTICIPANT_STATUS_DISCONNECTED},
};

constexpr FieldSchema kRoomPropertyFields[] = {
    row::Integer("num_audio_tracks", 1),  row::Integer("num_video_tracks", 2),
    row::Integer("num_data_tracks", 3),   row::Boolean("is_adhoc", 4),
    row::Boolean("record_on_connect", 5),
};
constexpr ObjectSchema kRoomProperties{kRoomPropertyFields};

constexpr FieldSchema kPublisherFields[] = {
    row::String("name", 1),
    row::String("sdk_version", 2),
    row::String("browser_name", 3),
    row::String("browser_major", 4),
    row::String("browser_version", 5),
    row::String("device_architecture", 6),
    row::String("device_manufacturer", 7),
    row::String("device_model", 8),
    row::String("platform_name", 9),
    row::String("platform_version", 10),
};
constexpr ObjectSchema kPublisherInfo{kPublisherFields};

constexpr FieldSchema kRoomSummaryFields[] = {
    row::String("url", 17),
    row::Strings("codecs", 9),
    row::Enum("status", 8, kRoomStatuses),
    row::String("room_sid", 7),
    row::Time("join_time", 3),
    row::String("end_reason", 10),
    row::Integer("error_code", 11),
    row::Time("leave_time", 4),
    row::Object("properties", 14, kRoomProperties),
    row::String("account_sid", 6),
    row::Seconds("duration_sec", 5, "duration"),
    row::String("media_region", 13),
    row::String("edge_location", 15),
    row::String("error_code_url", 12),
    row::Personal(row::Object("publisher_info", 16, kPublisherInfo)),
    row::String("participant_sid", 1),
    row::Personal(row::String("participant_identity", 2)),
};
constexpr ObjectSchema kRoomSummary{kRoomSummaryFields};

class VideoInsights final : public ParticipantApi {
 public:
  absl::string_view name() const override { return "Video Insights"; }

  bool Serves(ProviderType provider, ListRequest::QueryCase query) const override {
    return provider == ProviderType::kTwilio && query == ListRequest::kRoomParticipantSummaries;
  }
  bool Serves(ProviderType provider, GetRequest::ParticipantCase participant) const override {
    return provider == ProviderType::kTwilio && participant == GetRequest::kRoomParticipantSummary;
  }

  const BaseUrl& base_url(const Account& account) const override { return *account.insights; }

  std::string ListTarget(const Account& /*account*/, const ListRequest& request,
                         RequestViolations& violations) const override {
    const auto& query = request.room_participant_summaries();
    CheckTwilioSid("room_participant_summaries.room_sid", query.room_sid(), "RM", violations);
    return ListPath(query.room_sid());
  }

  std::string GetTarget(const Account& /*account*/, const GetRequest& request,
                        RequestViolations& violations) const override {
    const auto& name = request.room_participant_summary();
    CheckTwilioSid("room_participant_summary.room_sid", name.room_sid(), "RM", violations);
    CheckTwilioSid("room_participant_summary.participant_sid", name.participant_sid(), "PA",
                   violations);
    return absl::StrCat(ListPath(name.room_sid()), "/", EncodePathSegment(name.participant_sid()));
  }

  RequestedIds IdsOf(const ListRequest& request) const override {
    return {RoomId(request.room_participant_summaries().room_sid())};
  }
  RequestedIds IdsOf(const GetRequest& request) const override {
    const auto& name = request.room_participant_summary();
    return {RoomId(name.room_sid()),
            RequestedSid<'P', 'A'>("participant_sid", name.participant_sid())};
  }

  std::string ProbeTarget(const Account& /*account*/) const override {
    return ListPath("RM00000000000000000000000000000000");
  }

  PageLayout page_layout() const override { return {"participants", "meta", "next_page_url"}; }

  const RecordSchema& record_schema() const override {
    static constexpr RecordSchema kSchema{kRoomSummary, "participant_sid",
                                          v1::Participant::kRoomParticipantSummary};
    return kSchema;
  }

 private:
  static RequestedId RoomId(const std::string& sid) {
    return RequestedSid<'R', 'M'>("room_sid", sid);
  }

  static std::string ListPath(absl::string_view room_sid) {
    return absl::StrCat("/v1/Video/Rooms/", EncodePathSegment(room_sid), "/Participants");
  }
};

}  // namespace

const ParticipantApi& TwilioVideoInsights() {
  static const VideoInsights kApi;
  return kApi;
}

}  // namespace rollcall::service
