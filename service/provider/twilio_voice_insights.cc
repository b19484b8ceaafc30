// Twilio Voice Insights: summaries of the participants of a conference.
#include "absl/strings/str_cat.h"
#include "rollcall/v1/conference_participant_summary.pb.h"
#include "service/provider/participant_api.h"
#include "service/provider/sid.h"

namespace rollcall::service {
namespace {

constexpr EnumText kCallDirections[] = {
    {"inbound", v1::CALL_DIRECTION_INBOUND},
    {"outbound", v1::CALL_DIRECTION_OUTBOUND},
};
constexpr EnumText kCallStatuses[] = {
    {"completed", v1::CALL_STATUS_COMPLETED}, {"answered", v1::CALL_STATUS_ANSWERED},
    {"busy", v1::CALL_STATUS_BUSY},           {"fail", v1::CALL_STATUS_FAIL},
    {"noanswer", v1::CALL_STATUS_NOANSWER},   {"ringing", v1::CALL_STATUS_RINGING},
    {"canceled", v1::CALL_STATUS_CANCELED},
};
constexpr EnumText kJitterBufferSizes[] = {
    {"large", v1::JITTER_BUFFER_SIZE_LARGE},
    {"small", v1::JITTER_BUFFER_SIZE_SMALL},
    {"medium", v1::JITTER_BUFFER_SIZE_MEDIUM},
    {"off", v1::JITTER_BUFFER_SIZE_OFF},
};
constexpr EnumText kCallTypes[] = {
    {"carrier", v1::CALL_TYPE_CARRIER},
    {"client", v1::CALL_TYPE_CLIENT},
    {"sip", v1::CALL_TYPE_SIP},
};
constexpr EnumText kProcessingStates[] = {
    {"complete", v1::PROCESSING_STATE_COMPLETE},
    {"in_progress", v1::PROCESSING_STATE_IN_PROGRESS},
    {"timeout", v1::PROCESSING_STATE_TIMEOUT},
};

constexpr FieldSchema kConferencePropertyFields[] = {
    row::Boolean("start_conference_on_enter", 1),
    row::Boolean("end_conference_on_exit", 2),
    row::Boolean("play_early_media", 3),
    row::Boolean("enter_muted", 4),
    row::Boolean("beep_on_enter", 5),
    row::Boolean("beep_on_exit", 6),
    // Alternative name, from an example in the provider's documentation.
    row::Boolean("early_media", 3, "play_early_media"),
    row::Boolean("recording_enabled", 7),
    row::Boolean("trim_recording", 8),
    row::String("requested_region", 9),
};
constexpr ObjectSchema kConferenceProperties{kConferencePropertyFields};

constexpr FieldSchema kAverageFields[] = {
    row::Number("avg", 1),
    row::Number("max", 2),
};
constexpr ObjectSchema kAverageAndMaximum{kAverageFields};

constexpr FieldSchema kMediaFields[] = {
    row::Integer("total_packets_lost", 1),
    row::Integer("total_packets_received", 2),
    row::Number("packet_loss_percentage", 3),
    row::Object("jitter", 4, kAverageAndMaximum),
    row::Object("latency", 5, kAverageAndMaximum),
    row::Number("mos", 6),
    row::Strings("tags", 7),
    row::Integer("last_rtp_count", 8),
    row::Integer("unique_ssrc_count", 9),
};
constexpr ObjectSchema kMediaMetrics{kMediaFields};

constexpr FieldSchema kMetricFields[] = {
    row::Object("inbound", 1, kMediaMetrics),
    row::Object("outbound", 2, kMediaMetrics),
};
constexpr ObjectSchema kMetrics{kMetricFields};

constexpr FieldSchema kConferenceSummaryFields[] = {
    row::String("participant_sid", 1),
    row::Personal(row::String("label", 2)),
    row::String("conference_sid", 3),
    row::String("call_sid", 4),
    row::String("account_sid", 5),
    row::Enum("call_direction", 6, kCallDirections),
    row::Personal(row::String("from", 7, "from_address")),
    row::Personal(row::String("to", 8, "to_address")),
    row::Enum("call_status", 9, kCallStatuses),
    row::String("country_code", 10),
    row::Boolean("is_moderator", 11),
    row::Time("join_time", 12),
    row::Time("leave_time", 13),
    row::Seconds("duration_seconds", 14, "duration"),
    row::Integer("outbound_queue_length", 15),
    row::Integer("outbound_time_in_queue", 16),
    row::Enum("jitter_buffer_size", 17, kJitterBufferSizes),
    row::Boolean("is_coach", 18),
    row::Strings("coached_participants", 19),
    row::String("participant_region", 20),
    row::String("conference_region", 21),
    row::Enum("call_type", 22, kCallTypes),
    row::Enum("processing_state", 23, kProcessingStates),
    row::Object("properties", 24, kConferenceProperties),
    row::Object("metrics", 26, kMetrics),
    row::Events("events", 25),
    row::String("url", 27),
};
constexpr ObjectSchema kConferenceSummary{kConferenceSummaryFields};

class VoiceInsights final : public ParticipantApi {
 public:
  absl::string_view name() const override { return "Voice Insights"; }

  bool Serves(ProviderType provider, ListRequest::QueryCase query) const override {
    return provider == ProviderType::kTwilio &&
           query == ListRequest::kConferenceParticipantSummaries;
  }
  bool Serves(ProviderType provider, GetRequest::ParticipantCase participant) const override {
    return provider == ProviderType::kTwilio &&
           participant == GetRequest::kConferenceParticipantSummary;
  }

  const BaseUrl& base_url(const Account& account) const override { return *account.insights; }

  std::string ListTarget(const Account& /*account*/, const ListRequest& request,
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

  std::string GetTarget(const Account& /*account*/, const GetRequest& request,
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

  RequestedIds IdsOf(const ListRequest& request) const override {
    const auto& query = request.conference_participant_summaries();
    RequestedIds ids = {ConferenceId(query.conference_sid())};
    if (query.has_participant_sid()) ids.push_back(ParticipantId(query.participant_sid()));
    return ids;
  }
  RequestedIds IdsOf(const GetRequest& request) const override {
    const auto& name = request.conference_participant_summary();
    return {ConferenceId(name.conference_sid()), ParticipantId(name.participant_sid())};
  }

  std::string ProbeTarget(const Account& /*account*/) const override {
    return ListPath("CF00000000000000000000000000000000");
  }

  using ParticipantApi::PersonalFilter;
  absl::string_view PersonalFilter(const ListRequest& request) const override {
    return request.conference_participant_summaries().has_label()
               ? "conference_participant_summaries.label"
               : "";
  }

  PageLayout page_layout() const override { return {"participants", "meta", "next_page_url"}; }

  const RecordSchema& record_schema() const override {
    static constexpr RecordSchema kSchema{kConferenceSummary, "participant_sid",
                                          v1::Participant::kConferenceParticipantSummary};
    return kSchema;
  }

 private:
  static RequestedId ConferenceId(const std::string& sid) {
    return RequestedSid<'C', 'F'>("conference_sid", sid);
  }
  static RequestedId ParticipantId(const std::string& sid) {
    return RequestedSid<'C', 'P'>("participant_sid", sid);
  }

  static std::string ListPath(absl::string_view conference_sid) {
    return absl::StrCat("/v1/Conferences/", EncodePathSegment(conference_sid), "/Participants");
  }
};

}  // namespace

const ParticipantApi& TwilioVoiceInsights() {
  static const VoiceInsights kApi;
  return kApi;
}

}  // namespace rollcall::service
