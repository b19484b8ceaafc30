#include "service/provider/live_participant_schema.h"

#include "rollcall/v1/live_participant.pb.h"

namespace rollcall {
namespace {

using v1::LiveParticipant;

constexpr EnumText<v1::LiveParticipantStatus> kStatuses[] = {
    {"connected", v1::LIVE_PARTICIPANT_STATUS_CONNECTED},
    {"in-progress", v1::LIVE_PARTICIPANT_STATUS_IN_PROGRESS},
    {"queued", v1::LIVE_PARTICIPANT_STATUS_QUEUED},
    {"connecting", v1::LIVE_PARTICIPANT_STATUS_CONNECTING},
    {"ringing", v1::LIVE_PARTICIPANT_STATUS_RINGING},
    {"complete", v1::LIVE_PARTICIPANT_STATUS_COMPLETE},
    {"completed", v1::LIVE_PARTICIPANT_STATUS_COMPLETED},
    {"failed", v1::LIVE_PARTICIPANT_STATUS_FAILED},
};

using LiveRows = Rows<LiveParticipant>;
constexpr FieldSchema kFields[] = {
    LiveRows::String<&LiveParticipant::mutable_account_sid>("account_sid", 1),
    LiveRows::String<&LiveParticipant::mutable_call_sid>("call_sid", 2),
    LiveRows::String<&LiveParticipant::mutable_label>("label", 3),
    LiveRows::String<&LiveParticipant::mutable_call_sid_to_coach>("call_sid_to_coach", 4),
    LiveRows::Boolean<&LiveParticipant::set_coaching>("coaching", 5),
    LiveRows::String<&LiveParticipant::mutable_conference_sid>("conference_sid", 6),
    LiveRows::Time<&LiveParticipant::mutable_date_created, &LiveParticipant::clear_date_created>(
        "date_created", 7),
    LiveRows::Enum<&LiveParticipant::set_status, kStatuses>("status", 13),
    LiveRows::Time<&LiveParticipant::mutable_date_updated, &LiveParticipant::clear_date_updated>(
        "date_updated", 8),
    LiveRows::Boolean<&LiveParticipant::set_end_conference_on_exit>("end_conference_on_exit", 9),
    LiveRows::Boolean<&LiveParticipant::set_muted>("muted", 10),
    LiveRows::Boolean<&LiveParticipant::set_hold>("hold", 11),
    LiveRows::Boolean<&LiveParticipant::set_start_conference_on_enter>("start_conference_on_enter",
                                                                       12),
    LiveRows::MillisecondsText<&LiveParticipant::mutable_queue_time,
                               &LiveParticipant::clear_queue_time>("queue_time", 14),
    LiveRows::String<&LiveParticipant::mutable_uri>("uri", 15),
};
constexpr ObjectSchema kLiveParticipant{kFields};

}  // namespace

const RecordSchema& LiveParticipantSchema() {
  static constexpr RecordSchema kSchema{
      kLiveParticipant, "call_sid", [](v1::Participant& participant) -> google::protobuf::Message& {
        return *participant.mutable_live_participant();
      }};
  return kSchema;
}

}  // namespace rollcall
