#include "service/provider/live_participant_schema.h"

#include "rollcall/v1/live_participant.pb.h"

namespace rollcall::service {
namespace {

constexpr EnumText kLiveStatuses[] = {
    {"connected", v1::LIVE_PARTICIPANT_STATUS_CONNECTED},
    {"in-progress", v1::LIVE_PARTICIPANT_STATUS_IN_PROGRESS},
    {"queued", v1::LIVE_PARTICIPANT_STATUS_QUEUED},
    {"connecting", v1::LIVE_PARTICIPANT_STATUS_CONNECTING},
    {"ringing", v1::LIVE_PARTICIPANT_STATUS_RINGING},
    {"complete", v1::LIVE_PARTICIPANT_STATUS_COMPLETE},
    {"completed", v1::LIVE_PARTICIPANT_STATUS_COMPLETED},
    {"failed", v1::LIVE_PARTICIPANT_STATUS_FAILED},
};

constexpr FieldSchema kFields[] = {
    row::String("account_sid", 1),
    row::String("call_sid", 2),
    row::Personal(row::String("label", 3)),
    row::String("call_sid_to_coach", 4),
    row::Boolean("coaching", 5),
    row::String("conference_sid", 6),
    row::Time("date_created", 7),
    row::Enum("status", 13, kLiveStatuses),
    row::Time("date_updated", 8),
    row::Boolean("end_conference_on_exit", 9),
    row::Boolean("muted", 10),
    row::Boolean("hold", 11),
    row::Boolean("start_conference_on_enter", 12),
    row::MillisecondsText("queue_time", 14),
    row::String("uri", 15),
};
constexpr ObjectSchema kLiveParticipant{kFields};

}  // namespace

const RecordSchema& LiveParticipantSchema() {
  static constexpr RecordSchema kSchema{kLiveParticipant, "call_sid",
                                        v1::Participant::kLiveParticipant};
  return kSchema;
}

}  // namespace rollcall::service
