#include "client/cli/record_field.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

namespace rollcall {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::Contains;
using ::testing::Not;

std::string Text(const google::protobuf::Message& record, const std::string& path) {
  const absl::StatusOr<RecordField> field = RecordField::Parse(record.GetDescriptor(), path);
  if (!field.ok()) return field.status().ToString();
  return field->Text(record).value_or("(not set)");
}

TEST(RecordFieldTest, Values) {
  v1::ConferenceParticipantSummary record;
  record.set_label("Zoë");
  record.set_is_coach(false);
  record.set_call_status(v1::CALL_STATUS_NOANSWER);
  record.set_processing_state(v1::PROCESSING_STATE_IN_PROGRESS);
  record.set_outbound_queue_length(-9007199254740993);
  record.mutable_join_time()->set_seconds(1633661931);
  record.mutable_leave_time()->set_seconds(1633661931);
  record.mutable_leave_time()->set_nanos(250'000'000);
  *record.mutable_duration() = TimeUtil::SecondsToDuration(65);
  record.add_coached_participants("CA1");
  record.add_coached_participants("CA2");
  record.mutable_metrics()->mutable_inbound()->set_mos(4.33);
  record.mutable_metrics()->mutable_inbound()->mutable_jitter()->set_avg(0);

  EXPECT_EQ(Text(record, "label"), "Zoë");
  EXPECT_EQ(Text(record, "is_coach"), "false");
  EXPECT_EQ(Text(record, "call_status"), "CALL_STATUS_NOANSWER");
  EXPECT_EQ(Text(record, "processing_state"), "PROCESSING_STATE_IN_PROGRESS");
  EXPECT_EQ(Text(record, "outbound_queue_length"), "-9007199254740993");
  EXPECT_EQ(Text(record, "join_time"), "2021-10-08T02:58:51Z");
  EXPECT_EQ(Text(record, "leave_time"), "2021-10-08T02:58:51.250Z");
  EXPECT_EQ(Text(record, "duration"), "65s");
  EXPECT_EQ(Text(record, "coached_participants"), "CA1;CA2");
  EXPECT_EQ(Text(record, "metrics.inbound.mos"), "4.33");
  EXPECT_EQ(Text(record, "metrics.inbound.jitter.avg"), "0");
  EXPECT_EQ(Text(record, "metrics"), R"({"inbound":{"jitter":{"avg":0},"mos":4.33}})");
  EXPECT_EQ(Text(record, "country_code"), "(not set)");
  EXPECT_EQ(Text(record, "metrics.outbound.mos"), "(not set)");
  EXPECT_EQ(Text(record, "events"), "(not set)");
}

TEST(RecordFieldTest, MapsAreJsonSortedByKey) {
  v1::ConferenceParticipantSummary record;
  (*record.mutable_events())["unmute"].add_times()->set_seconds(1);
  (*record.mutable_events())["\"\x1b"];
  (*record.mutable_events())["mute"].add_times()->set_seconds(0);
  EXPECT_EQ(Text(record, "events"), R"({"\"\u001b":{},"mute":{"times":["1970-01-01T00:00:00Z"]},)"
                                    R"("unmute":{"times":["1970-01-01T00:00:01Z"]}})");
}

TEST(RecordFieldTest, ValuesOutOfRangeDoNotCrash) {
  v1::ConferenceParticipantSummary record;
  record.set_call_status(static_cast<v1::CallStatus>(77));
  record.mutable_join_time()->set_seconds(INT64_MAX);
  record.mutable_duration()->set_nanos(-2'000'000'000);
  record.mutable_duration()->set_seconds(INT64_MIN);
  (*record.mutable_events())["mute"].add_times()->set_nanos(-1);
  EXPECT_EQ(Text(record, "call_status"), "77");
  EXPECT_EQ(Text(record, "join_time"), "invalid");
  EXPECT_EQ(Text(record, "duration"), "invalid");
  EXPECT_EQ(Text(record, "events"), R"({"mute":"invalid"})");
}

TEST(RecordFieldTest, AnotherRecordHasNoValue) {
  const RecordField field =
      RecordField::Parse(v1::LiveParticipant::descriptor(), "call_sid").value();
  v1::RoomParticipantSummary other;
  EXPECT_EQ(field.Text(other), std::nullopt);
}

TEST(RecordFieldTest, AllFieldsAreThoseWithoutSubfields) {
  std::vector<std::string> paths;
  for (const RecordField& field : AllFields(v1::ConferenceParticipantSummary::descriptor())) {
    paths.push_back(field.path());
    // Each path parses back to its field.
    const absl::StatusOr<RecordField> parsed =
        RecordField::Parse(v1::ConferenceParticipantSummary::descriptor(), field.path());
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->descriptor(), field.descriptor());
  }
  EXPECT_EQ(paths.front(), "participant_sid");
  EXPECT_EQ(paths.back(), "url");
  EXPECT_THAT(paths, Contains("join_time"));
  EXPECT_THAT(paths, Contains("events"));
  EXPECT_THAT(paths, Contains("properties.enter_muted"));
  EXPECT_THAT(paths, Contains("metrics.outbound.jitter.max"));
  EXPECT_THAT(paths, Not(Contains("metrics")));
}

TEST(TypedRecordTest, IsTheOneThatIsSet) {
  v1::Participant participant;
  EXPECT_EQ(TypedRecord(participant), nullptr);
  participant.mutable_live_participant();
  EXPECT_EQ(TypedRecord(participant), &participant.live_participant());
}

}  // namespace
}  // namespace rollcall
