// What a caller without access to personal data sees of every field of every table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "service/provider/participant_api.h"
#include "service/record/field_selection.h"
#include "service/record/record_decoder.h"
#include "tests/record/decode_record.h"

namespace rollcall::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Stands in every place where a value could be personal.
constexpr char kPerson[] = "Ada";

const std::vector<const ParticipantApi*>& AllApis() {
  static const auto& kApis = *new std::vector<const ParticipantApi*>{
      &TwilioVoiceInsights(), &TwilioVideoInsights(), &TwilioCore(), &SignalWire()};
  return kApis;
}

// Decodes the record `json` for a caller without access to personal data, with the fields in
// `paths`; all if it is empty.
v1::Participant Decode(const ParticipantApi& api, const std::string& json,
                       const std::vector<std::string>& paths = {}) {
  google::protobuf::FieldMask mask;
  for (const std::string& path : paths) mask.add_paths(path);
  std::vector<std::string> unknown;
  FieldSelection selection = FieldSelection::FromMask(mask, api.record_schema().object, unknown);
  EXPECT_THAT(unknown, IsEmpty());
  selection.LeaveOutPersonalData(api.record_schema().object);
  DecoderScratch scratch;
  RecordDecoder decoder(scratch, api.record_schema(), selection, /*strict=*/false);
  const std::string padded = json + std::string(RecordDecoder::kPadding, '\0');
  const absl::Status status = decoder.Decode(absl::string_view(padded.data(), json.size()));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_THAT(std::string(decoder.bytes()), Not(HasSubstr(kPerson)));
  return ParseDecoded(decoder);
}

// The paths of the rows marked as personal, in the provider's names.
void AddPersonal(const ObjectSchema& schema, const std::string& prefix,
                 std::vector<std::string>& paths) {
  for (const FieldSchema& row : schema.fields) {
    const std::string path = prefix + std::string(row.name);
    if (row.is_personal) {
      paths.push_back(path);
    } else if (row.object != nullptr) {
      AddPersonal(*row.object, path + ".", paths);
    }
  }
}

std::vector<std::string> Personal(const ParticipantApi& api) {
  std::vector<std::string> paths;
  AddPersonal(api.record_schema().object, "", paths);
  return paths;
}

TEST(PersonalDataTest, TablesMarkPersonalFields) {
  EXPECT_THAT(Personal(TwilioVoiceInsights()), ElementsAre("label", "from", "to"));
  EXPECT_THAT(Personal(TwilioVideoInsights()),
              ElementsAre("publisher_info", "participant_identity"));
  EXPECT_THAT(Personal(TwilioCore()), ElementsAre("label"));
  EXPECT_THAT(Personal(SignalWire()), ElementsAre("label"));
}

// Checks every row with every kind of value, recursively. A personal row leaves no trace at all.
// Any other row with an unexpected value shows only its path.
void CheckRows(const ParticipantApi& api, const ObjectSchema& schema, const std::string& before,
               const std::string& after, const std::string& prefix, bool personal) {
  for (const FieldSchema& row : schema.fields) {
    const bool is_personal = personal || row.is_personal;
    const std::string path = prefix + std::string(row.name);
    SCOPED_TRACE(path);
    for (const char* value : {R"("Ada")", R"({"x":"Ada"})", R"(["Ada"])", "null", "[]", "{}",
                              R"([{"x":"Ada"}])", "17"}) {
      // An expected value in a row that is not personal is visible.
      const absl::string_view good = row.store == &StoreString    ? R"("Ada")"
                                     : row.store == &StoreStrings ? R"(["Ada"])"
                                                                  : "";
      if (!is_personal && value == good) continue;
      SCOPED_TRACE(value);
      const v1::Participant participant =
          Decode(api, absl::StrCat(before, "\"", std::string(row.name), "\":", value, after));
      for (const auto& unrecognized : participant.unrecognized()) {
        EXPECT_EQ(unrecognized.json(), "");
        EXPECT_NE(unrecognized.kind(), v1::UnrecognizedValue::KIND_UNSPECIFIED);
      }
      if (!is_personal) continue;
      EXPECT_EQ(participant.null_fields().paths_size(), 0);
      EXPECT_EQ(participant.empty_fields().paths_size(), 0);
      EXPECT_EQ(participant.unrecognized_size(), 0);
    }
    if (row.object != nullptr) {
      CheckRows(api, *row.object, absl::StrCat(before, "\"", std::string(row.name), "\":{"),
                "}" + after, path + ".", is_personal);
    }
  }
}

TEST(PersonalDataTest, PersonalFieldsLeaveNoTrace) {
  for (const ParticipantApi* api : AllApis()) {
    CheckRows(*api, api->record_schema().object, "{", "}", "", false);
  }
}

TEST(PersonalDataTest, UnknownFieldsShowOnlyTheirPath) {
  for (const ParticipantApi* api : AllApis()) {
    const v1::Participant participant =
        Decode(*api, R"({"email":"Ada","call_sid":"CA1","call_sid":"Ada"})");
    ASSERT_GE(participant.unrecognized_size(), 1);
    EXPECT_EQ(participant.unrecognized(0).path(), "email");
    EXPECT_EQ(participant.unrecognized(0).json(), "");
    EXPECT_EQ(participant.unrecognized(0).kind(), v1::UnrecognizedValue::KIND_UNKNOWN_FIELD);
  }
}

TEST(PersonalDataTest, ReadMaskCannotSelectPersonalFields) {
  const v1::Participant participant =
      Decode(TwilioVideoInsights(),
             R"({"room_sid":"RM1","participant_identity":"Ada","publisher_info":{"name":"Ada"}})",
             {"room_sid", "participant_identity", "publisher_info.name"});
  EXPECT_EQ(participant.room_participant_summary().room_sid(), "RM1");
  EXPECT_FALSE(participant.room_participant_summary().has_publisher_info());
}

TEST(PersonalDataTest, PathsOfPersonalFieldsAndTheirMembersAreRecognized) {
  const ObjectSchema& room = TwilioVideoInsights().record_schema().object;
  EXPECT_TRUE(NamesPersonalData("participant_identity", room));
  EXPECT_TRUE(NamesPersonalData("publisher_info", room));
  EXPECT_TRUE(NamesPersonalData("publisher_info.name", room));
  EXPECT_FALSE(NamesPersonalData("properties", room));
  EXPECT_FALSE(NamesPersonalData("properties.is_adhoc", room));
  EXPECT_FALSE(NamesPersonalData("", room));
  EXPECT_FALSE(NamesPersonalData("no_such_field", room));
  // Paths use the message's names, not the provider's.
  const ObjectSchema& conference = TwilioVoiceInsights().record_schema().object;
  EXPECT_TRUE(NamesPersonalData("from_address", conference));
  EXPECT_FALSE(NamesPersonalData("from", conference));
}

TEST(PersonalDataTest, LabelFilterAndLabelLookupArePersonalFilters) {
  v1::ListParticipantsRequest list;
  EXPECT_EQ(TwilioVoiceInsights().PersonalFilter(list), "");
  list.mutable_conference_participant_summaries()->set_label("");
  EXPECT_EQ(TwilioVoiceInsights().PersonalFilter(list), "conference_participant_summaries.label");
  v1::GetParticipantRequest get;
  get.mutable_live_participant()->set_call_sid("CAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  EXPECT_EQ(TwilioCore().PersonalFilter(get), "");
  get.mutable_live_participant()->set_call_sid("Ada");
  EXPECT_EQ(TwilioCore().PersonalFilter(get), "live_participant.call_sid");
  EXPECT_EQ(SignalWire().PersonalFilter(get), "");
}

}  // namespace
}  // namespace rollcall::service
