// The providers' published examples: compares every member of every record with its decoded value.
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "service/provider/participant_api.h"
#include "tests/paths.h"
#include "tests/record/decode_record.h"

namespace rollcall::service {
namespace {

using google::protobuf::Duration;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::Timestamp;
using nlohmann::ordered_json;

ordered_json ReadSeed(const std::string& name) {
  std::ifstream file(SourcePath(absl::StrCat("tests/testdata/seeds/", name, ".json")));
  ordered_json page = ordered_json::parse(file, nullptr, false);
  EXPECT_TRUE(page.is_object()) << name;
  return page;
}

std::string FieldName(const std::string& name) {
  if (name == "from" || name == "to") return name + "_address";
  if (name == "duration_seconds" || name == "duration_sec") return "duration";
  if (name == "early_media") return "play_early_media";
  return name;
}

// The time as the example writes it.
std::string TimeText(const Timestamp& time, const std::string& like) {
  const absl::Time moment = absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
  if (absl::EndsWith(like, "Z")) {
    return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", moment, absl::UTCTimeZone());
  }
  return absl::FormatTime(
      absl::StrContains(like, "Sept ") ? "%a, %d Sept %Y %H:%M:%S +0000" : "%a, %d %b %Y %T %z",
      moment, absl::UTCTimeZone());
}

// Paths of the values that are null or empty.
struct Paths {
  std::vector<std::string> null;
  std::vector<std::string> empty;
};

void CheckObject(const ordered_json& object, const Message& message, const std::string& prefix,
                 Paths& paths);

void CheckValue(const ordered_json& value, const Message& message, const FieldDescriptor& field,
                const std::string& path, Paths& paths) {
  const Reflection& reflection = *message.GetReflection();
  if (field.is_map()) {
    const auto& events = static_cast<const v1::ConferenceParticipantSummary&>(message).events();
    ASSERT_TRUE(value.is_object());
    ASSERT_EQ(events.size(), value.size());
    for (const auto& [name, moments] : value.items()) {
      const v1::EventTimes& times = events.at(name);
      ASSERT_EQ(static_cast<size_t>(times.times_size()), moments.size());
      for (int i = 0; i < times.times_size(); ++i) {
        EXPECT_EQ(times.times(i).seconds() * 1000 + times.times(i).nanos() / 1000000,
                  moments[static_cast<size_t>(i)].get<int64_t>());
      }
    }
    if (value.empty()) paths.empty.push_back(path);
    return;
  }
  if (field.is_repeated()) {
    ASSERT_TRUE(value.is_array());
    ASSERT_EQ(static_cast<size_t>(reflection.FieldSize(message, &field)), value.size());
    for (size_t i = 0; i < value.size(); ++i) {
      EXPECT_EQ(reflection.GetRepeatedString(message, &field, static_cast<int>(i)),
                value[i].get<std::string>());
    }
    if (value.empty()) paths.empty.push_back(path);
    return;
  }
  ASSERT_TRUE(reflection.HasField(message, &field));
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      EXPECT_EQ(reflection.GetString(message, &field), value.get<std::string>());
      return;
    case FieldDescriptor::CPPTYPE_BOOL:
      EXPECT_EQ(reflection.GetBool(message, &field), value.get<bool>());
      return;
    case FieldDescriptor::CPPTYPE_INT64:
      EXPECT_EQ(reflection.GetInt64(message, &field), value.get<int64_t>());
      return;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      EXPECT_EQ(reflection.GetDouble(message, &field), value.get<double>());
      return;
    case FieldDescriptor::CPPTYPE_ENUM:
      // CALL_STATUS_COMPLETED for "completed".
      EXPECT_TRUE(
          absl::EndsWith(reflection.GetEnum(message, &field)->name(),
                         absl::StrCat("_", absl::AsciiStrToUpper(value.get<std::string>()))));
      return;
    default:
      break;
  }
  const Message& inner = reflection.GetMessage(message, &field);
  if (const auto* const time = dynamic_cast<const Timestamp*>(&inner); time != nullptr) {
    EXPECT_EQ(TimeText(*time, value.get<std::string>()), value.get<std::string>());
  } else if (const auto* const length = dynamic_cast<const Duration*>(&inner); length != nullptr) {
    EXPECT_EQ(length->seconds(), value.get<int64_t>());
    EXPECT_EQ(length->nanos(), 0);
  } else {
    CheckObject(value, inner, path + ".", paths);
  }
}

void CheckObject(const ordered_json& object, const Message& message, const std::string& prefix,
                 Paths& paths) {
  ASSERT_TRUE(object.is_object());
  std::set<const FieldDescriptor*> given;
  for (const auto& [name, value] : object.items()) {
    SCOPED_TRACE(prefix + name);
    const FieldDescriptor* const field = message.GetDescriptor()->FindFieldByName(FieldName(name));
    ASSERT_NE(field, nullptr);
    if (value.is_null()) {
      paths.null.push_back(prefix + field->name());
      continue;
    }
    CheckValue(value, message, *field, prefix + field->name(), paths);
    if (!field->is_repeated() || !value.empty()) given.insert(field);
  }
  // No other field is set.
  std::vector<const FieldDescriptor*> set;
  message.GetReflection()->ListFields(message, &set);
  EXPECT_EQ(std::set<const FieldDescriptor*>(set.begin(), set.end()), given);
}

void CheckSeed(const ParticipantApi& api, const std::string& name, size_t records) {
  const ordered_json page = ReadSeed(name);
  const ordered_json& participants = page.at("participants");
  ASSERT_EQ(participants.size(), records);
  for (const ordered_json& record : participants) {
    for (const std::string& json : {record.dump(), record.dump(2)}) {
      // Strict: every value in the examples must be recognized.
      const absl::StatusOr<v1::Participant> participant =
          DecodeRecord(api.record_schema(), json, {}, /*strict=*/true);
      ASSERT_TRUE(participant.ok()) << participant.status();
      const FieldDescriptor* const field =
          v1::Participant::descriptor()->FindFieldByNumber(participant->record_case());
      ASSERT_NE(field, nullptr);
      Paths paths;
      CheckObject(record, participant->GetReflection()->GetMessage(*participant, field), "", paths);
      EXPECT_THAT(participant->null_fields().paths(), testing::ElementsAreArray(paths.null));
      EXPECT_THAT(participant->empty_fields().paths(), testing::ElementsAreArray(paths.empty));
    }
  }
}

TEST(SeedsTest, VoiceInsightsIsDecodedCompletely) {
  CheckSeed(TwilioVoiceInsights(), "voice_insights", 2);
}
TEST(SeedsTest, VoiceInsightsByLabelIsDecodedCompletely) {
  CheckSeed(TwilioVoiceInsights(), "voice_insights_label_client", 1);
}
TEST(SeedsTest, VideoInsightsIsDecodedCompletely) {
  CheckSeed(TwilioVideoInsights(), "video_insights", 1);
}
TEST(SeedsTest, SignalWireIsDecodedCompletely) { CheckSeed(SignalWire(), "signalwire", 1); }
// The same record, decoded by the other API with its schema.
TEST(SeedsTest, SignalWireAsTwilioCoreIsDecodedCompletely) {
  CheckSeed(TwilioCore(), "signalwire", 1);
}

}  // namespace
}  // namespace rollcall::service
