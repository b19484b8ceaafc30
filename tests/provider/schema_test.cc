// Checks each API's table against its message by protobuf reflection. Nothing else verifies that a
// row has its field's number and type.
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "service/provider/participant_api.h"
#include "service/record/record_schema.h"
#include "tests/record/oracle.h"

namespace rollcall::service {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::TextFormat;
using google::protobuf::util::MessageDifferencer;

// A JSON value, and protobuf's text form of a field that contains it.
struct Example {
  std::string json;
  std::string text;
};

// Examples for a field of this type, chosen so that a row with another type would write, read or
// omit at least one of them differently.
std::vector<Example> ExamplesOf(const FieldDescriptor& field) {
  const std::string name = field.name() + ":";
  if (field.is_map()) {
    return {{R"({"mute":[1,-1],"":[]})",
             name +
                 R"({key:"mute" value{times{nanos:1000000} times{seconds:-1 nanos:999000000}}})" +
                 name + R"({key:"" value{}})"}};
  }
  if (field.is_repeated()) return {{R"(["a","","a"])", name + R"(["a","","a"])"}};
  switch (field.type()) {
    case FieldDescriptor::TYPE_STRING:
      return {{R"("a")", name + R"("a")"}, {R"("")", name + R"("")"}};
    case FieldDescriptor::TYPE_BOOL:
      return {{"true", name + "true"}, {"false", name + "false"}};
    case FieldDescriptor::TYPE_INT64:
      return {{"0", name + "0"},
              {"-1", name + "-1"},
              {"9223372036854775807", name + "9223372036854775807"}};
    case FieldDescriptor::TYPE_DOUBLE:
      return {{"0", name + "0"}, {"-2.5", name + "-2.5"}};
    case FieldDescriptor::TYPE_ENUM: {
      std::vector<Example> examples;
      for (int i = 1; i < field.enum_type()->value_count(); ++i) {
        const auto& value = *field.enum_type()->value(i);
        examples.push_back({absl::StrCat("\"", ProviderText(value), "\""), name + value.name()});
      }
      return examples;
    }
    case FieldDescriptor::TYPE_MESSAGE:
      break;
    default:
      ADD_FAILURE() << "no row type exists for this field type";
      return {};
  }
  if (field.message_type() == google::protobuf::Timestamp::descriptor()) {
    return {{R"("1970-01-01T00:00:00Z")", name + "{}"},
            {R"("1969-12-31T23:59:59.5Z")", name + "{seconds:-1 nanos:500000000}"}};
  }
  EXPECT_EQ(field.message_type(), google::protobuf::Duration::descriptor());
  if (field.name() == "queue_time") {
    return {{R"("0")", name + "{}"}, {R"("-1500")", name + "{seconds:-1 nanos:-500000000}"}};
  }
  return {{"0", name + "{}"}, {"-65", name + "{seconds:-65}"}};
}

// Decodes each example on its own: only its field may be set.
void CheckStore(const FieldSchema& row, const FieldDescriptor& field, const Message& prototype) {
  // A field without presence could not distinguish zero from absent.
  EXPECT_TRUE(field.is_repeated() || field.has_presence());
  simdjson::dom::parser parser;
  for (const auto& [example, text] : ExamplesOf(field)) {
    SCOPED_TRACE(example);
    const simdjson::padded_string json(absl::StrCat("[", example, "]"));
    WireWriter writer;
    ASSERT_EQ(row.store(parser.parse(json).at(0).value(), row, writer), Outcome::kSet);
    const std::unique_ptr<Message> expected(prototype.New());
    ASSERT_TRUE(TextFormat::ParseFromString(text, expected.get())) << text;
    const std::unique_ptr<Message> actual(prototype.New());
    ASSERT_TRUE(actual->ParseFromString(std::string(writer.bytes())));
    EXPECT_TRUE(MessageDifferencer::Equals(*expected, *actual)) << actual->DebugString();
    EXPECT_EQ(actual->ByteSizeLong(), writer.size());
  }
  if (field.type() != FieldDescriptor::TYPE_ENUM) return;
  EXPECT_EQ(row.texts.size(), static_cast<size_t>(field.enum_type()->value_count()) - 1);
}

void CheckTable(const ObjectSchema& schema, const Message& prototype) {
  const Descriptor& descriptor = *prototype.GetDescriptor();
  std::set<absl::string_view> names;
  std::set<int> numbers;
  for (const FieldSchema& row : schema.fields) {
    SCOPED_TRACE(absl::StrCat(descriptor.full_name(), ": ", row.name));
    EXPECT_TRUE(names.insert(row.name).second) << "duplicate name";
    numbers.insert(row.number);
    // A FieldSelection has one bit per field number.
    EXPECT_GE(row.number, 1);
    EXPECT_LE(row.number, 63);
    const FieldDescriptor* const field = descriptor.FindFieldByNumber(row.number);
    ASSERT_NE(field, nullptr);
    EXPECT_EQ(field->name(), std::string(row.proto));
    ASSERT_NE(row.object == nullptr, row.store == nullptr);
    if (row.store != nullptr) {
      CheckStore(row, *field, prototype);
      continue;
    }
    EXPECT_EQ(row.tag, LengthDelimitedTag(row.number));
    ASSERT_EQ(field->type(), FieldDescriptor::TYPE_MESSAGE);
    EXPECT_FALSE(field->is_repeated());
    CheckTable(*row.object, prototype.GetReflection()->GetMessage(prototype, field));
  }
  for (int i = 0; i < descriptor.field_count(); ++i) {
    EXPECT_EQ(numbers.count(descriptor.field(i)->number()), 1)
        << descriptor.field(i)->full_name() << " has no row";
  }
}

void CheckRecord(const ParticipantApi& api, v1::Participant::RecordCase record) {
  const RecordSchema& schema = api.record_schema();
  EXPECT_EQ(schema.record, record);
  const FieldDescriptor* const field = v1::Participant::descriptor()->FindFieldByNumber(record);
  const Message& prototype = v1::Participant::default_instance().GetReflection()->GetMessage(
      v1::Participant::default_instance(), field);
  CheckTable(schema.object, prototype);

  // The record's identity is a text field.
  const FieldDescriptor* const identity =
      prototype.GetDescriptor()->FindFieldByName(std::string(schema.identity));
  ASSERT_NE(identity, nullptr);
  EXPECT_EQ(identity->cpp_type(), FieldDescriptor::CPPTYPE_STRING);
}

TEST(SchemaTest, TwilioVoiceInsightsTableMatchesItsMessage) {
  CheckRecord(TwilioVoiceInsights(), v1::Participant::kConferenceParticipantSummary);
}
TEST(SchemaTest, TwilioVideoInsightsTableMatchesItsMessage) {
  CheckRecord(TwilioVideoInsights(), v1::Participant::kRoomParticipantSummary);
}
TEST(SchemaTest, TwilioCoreTableMatchesItsMessage) {
  CheckRecord(TwilioCore(), v1::Participant::kLiveParticipant);
}
TEST(SchemaTest, SignalWireTableMatchesItsMessage) {
  CheckRecord(SignalWire(), v1::Participant::kLiveParticipant);
}

}  // namespace
}  // namespace rollcall::service
