// The tables of each API against the messages that they fill, by protobuf's reflection.
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "service/provider/participant_api.h"
#include "service/record/record_schema.h"

namespace rollcall {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// JSON values of which each type of field takes one.
const char* const kValues[] = {"true",
                               "7",
                               "\"2021-10-08T02:58:51Z\"",
                               "\"1500\"",
                               "\"completed\"",
                               "\"complete\"",
                               "\"inbound\"",
                               "\"large\"",
                               "\"client\"",
                               "[\"a\"]",
                               "{\"mute\":[1]}"};

// Stores a value by the row, which must set its own field and no other.
void CheckStore(const FieldSchema& row, const FieldDescriptor& field, const Message& prototype) {
  simdjson::dom::parser parser;
  for (const std::string value : kValues) {
    std::unique_ptr<Message> message(prototype.New());
    const simdjson::padded_string json(absl::StrCat("[", value, "]"));
    const Outcome outcome = row.store(parser.parse(json).at(0).value(), *message);
    std::vector<const FieldDescriptor*> set;
    message->GetReflection()->ListFields(*message, &set);
    if (outcome != Outcome::kSet) {
      EXPECT_TRUE(set.empty()) << value;
      continue;
    }
    ASSERT_EQ(set.size(), 1) << value;
    EXPECT_EQ(set.front(), &field);
    return;
  }
  ADD_FAILURE() << "takes no value";
}

void CheckTable(const ObjectSchema& schema, const Message& prototype) {
  const Descriptor& descriptor = *prototype.GetDescriptor();
  std::set<absl::string_view> names;
  std::set<int> numbers;
  for (const FieldSchema& row : schema.fields) {
    SCOPED_TRACE(absl::StrCat(descriptor.full_name(), ": ", row.name));
    EXPECT_TRUE(names.insert(row.name).second) << "a name twice";
    numbers.insert(row.number);
    // A FieldSelection has a bit a number.
    EXPECT_GE(row.number, 1);
    EXPECT_LE(row.number, 63);
    const FieldDescriptor* const field = descriptor.FindFieldByNumber(row.number);
    ASSERT_NE(field, nullptr);
    EXPECT_EQ(field->name(), std::string(row.proto));
    ASSERT_EQ(row.object == nullptr, row.mutable_object == nullptr);
    ASSERT_NE(row.object == nullptr, row.store == nullptr);
    if (row.store != nullptr) {
      CheckStore(row, *field, prototype);
      continue;
    }
    std::unique_ptr<Message> message(prototype.New());
    Message& object = row.mutable_object(*message);
    const Reflection& reflection = *message->GetReflection();
    EXPECT_TRUE(reflection.HasField(*message, field));
    EXPECT_EQ(&object, &reflection.GetMessage(*message, field));
    CheckTable(*row.object, object);
  }
  for (int i = 0; i < descriptor.field_count(); ++i) {
    EXPECT_EQ(numbers.count(descriptor.field(i)->number()), 1)
        << descriptor.field(i)->full_name() << " has no row";
  }
}

void CheckRecord(const ParticipantApi& api, v1::Participant::RecordCase record) {
  v1::Participant participant;
  const Message& message = api.record_schema().mutable_record(participant);
  EXPECT_EQ(participant.record_case(), record);
  // A second time it is the same one.
  EXPECT_EQ(&api.record_schema().mutable_record(participant), &message);
  CheckTable(api.record_schema().object, message);

  // What tells one record from another is a field of text.
  const FieldDescriptor* const identity =
      message.GetDescriptor()->FindFieldByName(std::string(api.record_schema().identity));
  ASSERT_NE(identity, nullptr);
  EXPECT_EQ(identity->cpp_type(), FieldDescriptor::CPPTYPE_STRING);
}

TEST(SchemaTest, TwilioVoiceInsights) {
  CheckRecord(TwilioVoiceInsights(), v1::Participant::kConferenceParticipantSummary);
}
TEST(SchemaTest, TwilioVideoInsights) {
  CheckRecord(TwilioVideoInsights(), v1::Participant::kRoomParticipantSummary);
}
TEST(SchemaTest, TwilioCore) { CheckRecord(TwilioCore(), v1::Participant::kLiveParticipant); }
TEST(SchemaTest, SignalWire) { CheckRecord(SignalWire(), v1::Participant::kLiveParticipant); }

}  // namespace
}  // namespace rollcall
