#include "client/cli/field_argument.h"

namespace rollcall {
namespace {

// Request fields, and the argument that sets each.
struct FieldArgument {
  absl::string_view field;
  absl::string_view argument;
};
constexpr FieldArgument kFieldArguments[] = {
    {"upstream", "--upstream"},
    {"page_size", "--page-size"},
    {"limit", "--limit"},
    {"read_mask", "--fields"},
    {"resume_token", "--resume"},
    {"conference_participant_summaries.conference_sid", "conference"},
    {"conference_participant_summaries.participant_sid", "--participant"},
    {"conference_participant_summaries.label", "--label"},
    {"conference_participant_summaries.events", "--event"},
    {"room_participant_summaries.room_sid", "room"},
    {"live_participants.conference_sid", "conference"},
    {"live_participants.muted", "--muted"},
    {"live_participants.hold", "--hold"},
    {"live_participants.coaching", "--coaching"},
    {"conference_participant_summary.conference_sid", "conference"},
    {"conference_participant_summary.participant_sid", "participant"},
    {"conference_participant_summary.events", "--events"},
    {"conference_participant_summary.metrics", "--metrics"},
    {"room_participant_summary.room_sid", "room"},
    {"room_participant_summary.participant_sid", "participant"},
    {"live_participant.conference_sid", "conference"},
    {"live_participant.call_sid", "call"},
};

}  // namespace

std::string ArgumentOf(absl::string_view field) {
  for (const FieldArgument& row : kFieldArguments) {
    if (row.field == field) return std::string(row.argument);
  }
  return "";
}

}  // namespace rollcall
