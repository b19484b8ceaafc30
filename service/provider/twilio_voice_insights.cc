// Twilio Voice Insights: summaries of the participants of a conference.
#include "absl/strings/str_cat.h"
#include "rollcall/v1/conference_participant_summary.pb.h"
#include "service/provider/participant_api.h"
#include "service/provider/sid.h"

namespace rollcall {
namespace {

using v1::AverageAndMaximum;
using v1::ConferenceParticipantMetrics;
using v1::ConferenceParticipantProperties;
using v1::ConferenceParticipantSummary;
using v1::MediaMetrics;

constexpr EnumText<v1::CallDirection> kCallDirections[] = {
    {"inbound", v1::CALL_DIRECTION_INBOUND},
    {"outbound", v1::CALL_DIRECTION_OUTBOUND},
};
constexpr EnumText<v1::CallStatus> kCallStatuses[] = {
    {"completed", v1::CALL_STATUS_COMPLETED}, {"answered", v1::CALL_STATUS_ANSWERED},
    {"busy", v1::CALL_STATUS_BUSY},           {"fail", v1::CALL_STATUS_FAIL},
    {"noanswer", v1::CALL_STATUS_NOANSWER},   {"ringing", v1::CALL_STATUS_RINGING},
    {"canceled", v1::CALL_STATUS_CANCELED},
};
constexpr EnumText<v1::JitterBufferSize> kJitterBufferSizes[] = {
    {"large", v1::JITTER_BUFFER_SIZE_LARGE},
    {"small", v1::JITTER_BUFFER_SIZE_SMALL},
    {"medium", v1::JITTER_BUFFER_SIZE_MEDIUM},
    {"off", v1::JITTER_BUFFER_SIZE_OFF},
};
constexpr EnumText<v1::CallType> kCallTypes[] = {
    {"carrier", v1::CALL_TYPE_CARRIER},
    {"client", v1::CALL_TYPE_CLIENT},
    {"sip", v1::CALL_TYPE_SIP},
};
constexpr EnumText<v1::ProcessingState> kProcessingStates[] = {
    {"complete", v1::PROCESSING_STATE_COMPLETE},
    {"in_progress", v1::PROCESSING_STATE_IN_PROGRESS},
    {"timeout", v1::PROCESSING_STATE_TIMEOUT},
};

using PropertyRows = Rows<ConferenceParticipantProperties>;
using Properties = ConferenceParticipantProperties;
constexpr FieldSchema kPropertyFields[] = {
    PropertyRows::Boolean<&Properties::set_start_conference_on_enter>("start_conference_on_enter",
                                                                      1),
    PropertyRows::Boolean<&Properties::set_end_conference_on_exit>("end_conference_on_exit", 2),
    PropertyRows::Boolean<&Properties::set_play_early_media>("play_early_media", 3),
    PropertyRows::Boolean<&Properties::set_enter_muted>("enter_muted", 4),
    PropertyRows::Boolean<&Properties::set_beep_on_enter>("beep_on_enter", 5),
    PropertyRows::Boolean<&Properties::set_beep_on_exit>("beep_on_exit", 6),
    // The provider's own example has this name for it as well.
    PropertyRows::Boolean<&Properties::set_play_early_media>("early_media", 3, "play_early_media"),
    PropertyRows::Boolean<&Properties::set_recording_enabled>("recording_enabled", 7),
    PropertyRows::Boolean<&Properties::set_trim_recording>("trim_recording", 8),
    PropertyRows::String<&Properties::mutable_requested_region>("requested_region", 9),
};
constexpr ObjectSchema kProperties{kPropertyFields};

using AverageRows = Rows<AverageAndMaximum>;
constexpr FieldSchema kAverageFields[] = {
    AverageRows::Number<&AverageAndMaximum::set_avg>("avg", 1),
    AverageRows::Number<&AverageAndMaximum::set_max>("max", 2),
};
constexpr ObjectSchema kAverageAndMaximum{kAverageFields};

using MediaRows = Rows<MediaMetrics>;
constexpr FieldSchema kMediaFields[] = {
    MediaRows::Integer<&MediaMetrics::set_total_packets_lost>("total_packets_lost", 1),
    MediaRows::Integer<&MediaMetrics::set_total_packets_received>("total_packets_received", 2),
    MediaRows::Number<&MediaMetrics::set_packet_loss_percentage>("packet_loss_percentage", 3),
    MediaRows::Object<&MediaMetrics::mutable_jitter>("jitter", 4, kAverageAndMaximum),
    MediaRows::Object<&MediaMetrics::mutable_latency>("latency", 5, kAverageAndMaximum),
    MediaRows::Number<&MediaMetrics::set_mos>("mos", 6),
    MediaRows::Strings<&MediaMetrics::mutable_tags, &MediaMetrics::clear_tags>("tags", 7),
    MediaRows::Integer<&MediaMetrics::set_last_rtp_count>("last_rtp_count", 8),
    MediaRows::Integer<&MediaMetrics::set_unique_ssrc_count>("unique_ssrc_count", 9),
};
constexpr ObjectSchema kMediaMetrics{kMediaFields};

using MetricRows = Rows<ConferenceParticipantMetrics>;
constexpr FieldSchema kMetricFields[] = {
    MetricRows::Object<&ConferenceParticipantMetrics::mutable_inbound>("inbound", 1, kMediaMetrics),
    MetricRows::Object<&ConferenceParticipantMetrics::mutable_outbound>("outbound", 2,
                                                                        kMediaMetrics),
};
constexpr ObjectSchema kMetrics{kMetricFields};

using SummaryRows = Rows<ConferenceParticipantSummary>;
using Summary = ConferenceParticipantSummary;
constexpr FieldSchema kSummaryFields[] = {
    SummaryRows::String<&Summary::mutable_participant_sid>("participant_sid", 1),
    SummaryRows::String<&Summary::mutable_label>("label", 2),
    SummaryRows::String<&Summary::mutable_conference_sid>("conference_sid", 3),
    SummaryRows::String<&Summary::mutable_call_sid>("call_sid", 4),
    SummaryRows::String<&Summary::mutable_account_sid>("account_sid", 5),
    SummaryRows::Enum<&Summary::set_call_direction, kCallDirections>("call_direction", 6),
    SummaryRows::String<&Summary::mutable_from_address>("from", 7, "from_address"),
    SummaryRows::String<&Summary::mutable_to_address>("to", 8, "to_address"),
    SummaryRows::Enum<&Summary::set_call_status, kCallStatuses>("call_status", 9),
    SummaryRows::String<&Summary::mutable_country_code>("country_code", 10),
    SummaryRows::Boolean<&Summary::set_is_moderator>("is_moderator", 11),
    SummaryRows::Time<&Summary::mutable_join_time, &Summary::clear_join_time>("join_time", 12),
    SummaryRows::Time<&Summary::mutable_leave_time, &Summary::clear_leave_time>("leave_time", 13),
    SummaryRows::Seconds<&Summary::mutable_duration, &Summary::clear_duration>("duration_seconds",
                                                                               14, "duration"),
    SummaryRows::Integer<&Summary::set_outbound_queue_length>("outbound_queue_length", 15),
    SummaryRows::Integer<&Summary::set_outbound_time_in_queue>("outbound_time_in_queue", 16),
    SummaryRows::Enum<&Summary::set_jitter_buffer_size, kJitterBufferSizes>("jitter_buffer_size",
                                                                            17),
    SummaryRows::Boolean<&Summary::set_is_coach>("is_coach", 18),
    SummaryRows::Strings<&Summary::mutable_coached_participants,
                         &Summary::clear_coached_participants>("coached_participants", 19),
    SummaryRows::String<&Summary::mutable_participant_region>("participant_region", 20),
    SummaryRows::String<&Summary::mutable_conference_region>("conference_region", 21),
    SummaryRows::Enum<&Summary::set_call_type, kCallTypes>("call_type", 22),
    SummaryRows::Enum<&Summary::set_processing_state, kProcessingStates>("processing_state", 23),
    SummaryRows::Object<&Summary::mutable_properties>("properties", 24, kProperties),
    SummaryRows::Object<&Summary::mutable_metrics>("metrics", 26, kMetrics),
    SummaryRows::Events<&Summary::mutable_events, &Summary::clear_events>("events", 25),
    SummaryRows::String<&Summary::mutable_url>("url", 27),
};
constexpr ObjectSchema kSummary{kSummaryFields};

class VoiceInsights final : public ParticipantApi {
 public:
  bool Serves(ProviderType provider, ListRequest::QueryCase query) const override {
    return provider == ProviderType::kTwilio &&
           query == ListRequest::kConferenceParticipantSummaries;
  }
  bool Serves(ProviderType provider, GetRequest::ParticipantCase participant) const override {
    return provider == ProviderType::kTwilio &&
           participant == GetRequest::kConferenceParticipantSummary;
  }

  const BaseUrl& base_url(const UpstreamConfig& upstream) const override {
    return *upstream.insights;
  }

  std::string ListTarget(const UpstreamConfig& /*upstream*/, const ListRequest& request,
                         RequestViolations& violations) const override {
    const auto& query = request.conference_participant_summaries();
    CheckTwilioSid("conference_participant_summaries.conference_sid", query.conference_sid(), "CF",
                   violations);
    std::string target = ListPath(query.conference_sid());
    if (query.has_participant_sid()) {
      CheckTwilioSid("conference_participant_summaries.participant_sid", query.participant_sid(),
                     "CP", violations);
      AppendQuery(target, "ParticipantSid", query.participant_sid());
    }
    if (query.has_label()) AppendQuery(target, "Label", query.label());
    if (query.has_events()) AppendQuery(target, "Events", query.events());
    return target;
  }

  std::string GetTarget(const UpstreamConfig& /*upstream*/, const GetRequest& request,
                        RequestViolations& violations) const override {
    const auto& name = request.conference_participant_summary();
    CheckTwilioSid("conference_participant_summary.conference_sid", name.conference_sid(), "CF",
                   violations);
    CheckTwilioSid("conference_participant_summary.participant_sid", name.participant_sid(), "CP",
                   violations);
    std::string target = absl::StrCat(ListPath(name.conference_sid()), "/",
                                      EncodePathSegment(name.participant_sid()));
    if (name.has_events()) AppendQuery(target, "Events", name.events());
    if (name.has_metrics()) AppendQuery(target, "Metrics", name.metrics());
    return target;
  }

  PageLayout page_layout() const override { return {"participants", "meta", "next_page_url"}; }

  const RecordSchema& record_schema() const override {
    static constexpr RecordSchema kSchema{
        kSummary, "participant_sid",
        [](v1::Participant& participant) -> google::protobuf::Message& {
          return *participant.mutable_conference_participant_summary();
        }};
    return kSchema;
  }

 private:
  static std::string ListPath(absl::string_view conference_sid) {
    return absl::StrCat("/v1/Conferences/", EncodePathSegment(conference_sid), "/Participants");
  }
};

}  // namespace

const ParticipantApi& TwilioVoiceInsights() {
  static const VoiceInsights kApi;
  return kApi;
}

}  // namespace rollcall
