// Twilio Video Insights: summaries of the participants of a video room.
#include "absl/strings/str_cat.h"
#include "rollcall/v1/room_participant_summary.pb.h"
#include "service/provider/participant_api.h"
#include "service/provider/sid.h"

namespace rollcall {
namespace {

using v1::PublisherInfo;
using v1::RoomParticipantProperties;
using v1::RoomParticipantSummary;

constexpr EnumText<v1::RoomParticipantStatus> kStatuses[] = {
    {"completed", v1::ROOM_PARTICIPANT_STATUS_COMPLETED},
    {"in_progress", v1::ROOM_PARTICIPANT_STATUS_IN_PROGRESS},
    {"connected", v1::ROOM_PARTICIPANT_STATUS_CONNECTED},
    {"disconnected", v1::ROOM_PARTICIPANT_STATUS_DISCONNECTED},
};

using PropertyRows = Rows<RoomParticipantProperties>;
using Properties = RoomParticipantProperties;
constexpr FieldSchema kPropertyFields[] = {
    PropertyRows::Integer<&Properties::set_num_audio_tracks>("num_audio_tracks", 1),
    PropertyRows::Integer<&Properties::set_num_video_tracks>("num_video_tracks", 2),
    PropertyRows::Integer<&Properties::set_num_data_tracks>("num_data_tracks", 3),
    PropertyRows::Boolean<&Properties::set_is_adhoc>("is_adhoc", 4),
    PropertyRows::Boolean<&Properties::set_record_on_connect>("record_on_connect", 5),
};
constexpr ObjectSchema kProperties{kPropertyFields};

using PublisherRows = Rows<PublisherInfo>;
constexpr FieldSchema kPublisherFields[] = {
    PublisherRows::String<&PublisherInfo::mutable_name>("name", 1),
    PublisherRows::String<&PublisherInfo::mutable_sdk_version>("sdk_version", 2),
    PublisherRows::String<&PublisherInfo::mutable_browser_name>("browser_name", 3),
    PublisherRows::String<&PublisherInfo::mutable_browser_major>("browser_major", 4),
    PublisherRows::String<&PublisherInfo::mutable_browser_version>("browser_version", 5),
    PublisherRows::String<&PublisherInfo::mutable_device_architecture>("device_architecture", 6),
    PublisherRows::String<&PublisherInfo::mutable_device_manufacturer>("device_manufacturer", 7),
    PublisherRows::String<&PublisherInfo::mutable_device_model>("device_model", 8),
    PublisherRows::String<&PublisherInfo::mutable_platform_name>("platform_name", 9),
    PublisherRows::String<&PublisherInfo::mutable_platform_version>("platform_version", 10),
};
constexpr ObjectSchema kPublisherInfo{kPublisherFields};

using SummaryRows = Rows<RoomParticipantSummary>;
using Summary = RoomParticipantSummary;
constexpr FieldSchema kSummaryFields[] = {
    SummaryRows::String<&Summary::mutable_url>("url", 17),
    SummaryRows::Strings<&Summary::mutable_codecs, &Summary::clear_codecs>("codecs", 9),
    SummaryRows::Enum<&Summary::set_status, kStatuses>("status", 8),
    SummaryRows::String<&Summary::mutable_room_sid>("room_sid", 7),
    SummaryRows::Time<&Summary::mutable_join_time, &Summary::clear_join_time>("join_time", 3),
    SummaryRows::String<&Summary::mutable_end_reason>("end_reason", 10),
    SummaryRows::Integer<&Summary::set_error_code>("error_code", 11),
    SummaryRows::Time<&Summary::mutable_leave_time, &Summary::clear_leave_time>("leave_time", 4),
    SummaryRows::Object<&Summary::mutable_properties>("properties", 14, kProperties),
    SummaryRows::String<&Summary::mutable_account_sid>("account_sid", 6),
    SummaryRows::Seconds<&Summary::mutable_duration, &Summary::clear_duration>("duration_sec", 5,
                                                                               "duration"),
    SummaryRows::String<&Summary::mutable_media_region>("media_region", 13),
    SummaryRows::String<&Summary::mutable_edge_location>("edge_location", 15),
    SummaryRows::String<&Summary::mutable_error_code_url>("error_code_url", 12),
    SummaryRows::Object<&Summary::mutable_publisher_info>("publisher_info", 16, kPublisherInfo),
    SummaryRows::String<&Summary::mutable_participant_sid>("participant_sid", 1),
    SummaryRows::String<&Summary::mutable_participant_identity>("participant_identity", 2),
};
constexpr ObjectSchema kSummary{kSummaryFields};

class VideoInsights final : public ParticipantApi {
 public:
  bool Serves(ProviderType provider, ListRequest::QueryCase query) const override {
    return provider == ProviderType::kTwilio && query == ListRequest::kRoomParticipantSummaries;
  }
  bool Serves(ProviderType provider, GetRequest::ParticipantCase participant) const override {
    return provider == ProviderType::kTwilio && participant == GetRequest::kRoomParticipantSummary;
  }

  const BaseUrl& base_url(const UpstreamConfig& upstream) const override {
    return *upstream.insights;
  }

  std::string ListTarget(const UpstreamConfig& /*upstream*/, const ListRequest& request,
                         RequestViolations& violations) const override {
    const auto& query = request.room_participant_summaries();
    CheckTwilioSid("room_participant_summaries.room_sid", query.room_sid(), "RM", violations);
    return ListPath(query.room_sid());
  }

  std::string GetTarget(const UpstreamConfig& /*upstream*/, const GetRequest& request,
                        RequestViolations& violations) const override {
    const auto& name = request.room_participant_summary();
    CheckTwilioSid("room_participant_summary.room_sid", name.room_sid(), "RM", violations);
    CheckTwilioSid("room_participant_summary.participant_sid", name.participant_sid(), "PA",
                   violations);
    return absl::StrCat(ListPath(name.room_sid()), "/", EncodePathSegment(name.participant_sid()));
  }

  PageLayout page_layout() const override { return {"participants", "meta", "next_page_url"}; }

  const RecordSchema& record_schema() const override {
    static constexpr RecordSchema kSchema{
        kSummary, "participant_sid",
        [](v1::Participant& participant) -> google::protobuf::Message& {
          return *participant.mutable_room_participant_summary();
        }};
    return kSchema;
  }

 private:
  static std::string ListPath(absl::string_view room_sid) {
    return absl::StrCat("/v1/Video/Rooms/", EncodePathSegment(room_sid), "/Participants");
  }
};

}  // namespace

const ParticipantApi& TwilioVideoInsights() {
  static const VideoInsights kApi;
  return kApi;
}

}  // namespace rollcall
