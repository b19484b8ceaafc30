#include "client/cli/record_field.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include <map>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace rollcall {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Duration;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::Timestamp;
using google::protobuf::util::TimeUtil;

// Shown for a time outside protobuf's range, which only a broken service sends.
constexpr char kInvalid[] = "invalid";

bool IsValid(const Timestamp& time) {
  return time.seconds() >= TimeUtil::kTimestampMinSeconds &&
         time.seconds() <= TimeUtil::kTimestampMaxSeconds && time.nanos() >= 0 &&
         time.nanos() < 1'000'000'000;
}

bool IsValid(const Duration& duration) {
  const bool one_sign = duration.seconds() == 0 || duration.nanos() == 0 ||
                        (duration.seconds() < 0) == (duration.nanos() < 0);
  return duration.seconds() >= TimeUtil::kDurationMinSeconds &&
         duration.seconds() <= TimeUtil::kDurationMaxSeconds && duration.nanos() > -1'000'000'000 &&
         duration.nanos() < 1'000'000'000 && one_sign;
}

// Whether paths lead into the field.
bool HasFields(const FieldDescriptor& field) {
  return field.message_type() != nullptr && !field.is_repeated() &&
         field.message_type()->well_known_type() == Descriptor::WELLKNOWNTYPE_UNSPECIFIED;
}

std::string FieldNames(const Descriptor& record) {
  std::vector<std::string> names;
  for (int i = 0; i < record.field_count(); ++i) names.push_back(record.field(i)->name());
  return absl::StrJoin(names, ", ");
}

std::string Json(const Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) {
    return absl::StrCat("\"", kInvalid, "\"");
  }
  return json;
}

std::string JsonString(const std::string& text) {
  google::protobuf::Value value;
  value.set_string_value(text);
  return Json(value);
}

std::string MessageText(const Message& message) {
  if (message.GetDescriptor() == Timestamp::descriptor()) {
    const auto& time = static_cast<const Timestamp&>(message);
    return IsValid(time) ? TimeUtil::ToString(time) : kInvalid;
  }
  if (message.GetDescriptor() == Duration::descriptor()) {
    const auto& duration = static_cast<const Duration&>(message);
    return IsValid(duration) ? TimeUtil::ToString(duration) : kInvalid;
  }
  return Json(message);
}

// The value of a singular field if `index` is kSingle, otherwise an element of a repeated field.
constexpr int kSingle = -1;
std::string ValueText(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  const bool single = index == kSingle;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return single ? reflection.GetString(message, &field)
                    : reflection.GetRepeatedString(message, &field, index);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageText(single ? reflection.GetMessage(message, &field)
                                : reflection.GetRepeatedMessage(message, &field, index));
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number = single ? reflection.GetEnumValue(message, &field)
                                : reflection.GetRepeatedEnumValue(message, &field, index);
      const EnumValueDescriptor* value = field.enum_type()->FindValueByNumber(number);
      return value == nullptr ? absl::StrCat(number) : value->name();
    }
    default: {
      // Numbers and booleans.
      std::string text;
      google::protobuf::TextFormat::PrintFieldValueToString(message, &field, index, &text);
      return text;
    }
  }
}

// JSON with sorted keys, because protobuf's order differs between runs.
std::string MapText(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  const Descriptor& entry_type = *field.message_type();
  std::map<std::string, std::string> members;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
    const std::string key = JsonString(ValueText(entry, *entry_type.map_key(), kSingle));
    const FieldDescriptor& value = *entry_type.map_value();
    members[key] = value.message_type() == nullptr
                       ? JsonString(ValueText(entry, value, kSingle))
                       : Json(entry.GetReflection()->GetMessage(entry, &value));
  }
  return absl::StrCat("{", absl::StrJoin(members, ",", absl::PairFormatter(":")), "}");
}

}  // namespace

absl::StatusOr<RecordField> RecordField::Parse(const Descriptor* record, absl::string_view path) {
  std::vector<const FieldDescriptor*> fields;
  const Descriptor* parent = record;
  for (absl::string_view name : absl::StrSplit(path, '.')) {
    if (parent == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", path, "\": ", fields.back()->name(), " has no fields of its own"));
    }
    const FieldDescriptor* field = parent->FindFieldByName(std::string(name));
    if (field == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("no field \"", path, "\" in ", record->name(),
                                                     "; ", parent->name(),
                                                     " has: ", FieldNames(*parent)));
    }
    fields.push_back(field);
    parent = HasFields(*field) ? field->message_type() : nullptr;
  }
  return RecordField(std::string(path), std::move(fields));
}

std::optional<std::string> RecordField::Text(const Message& record) const {
  const Message* message = &record;
  if (message->GetDescriptor() != fields_.front()->containing_type()) return std::nullopt;
  for (size_t i = 0; i + 1 < fields_.size(); ++i) {
    if (!message->GetReflection()->HasField(*message, fields_[i])) return std::nullopt;
    message = &message->GetReflection()->GetMessage(*message, fields_[i]);
  }
  const FieldDescriptor& field = *descriptor();
  const Reflection& reflection = *message->GetReflection();
  if (!field.is_repeated()) {
    if (!reflection.HasField(*message, &field)) return std::nullopt;
    return ValueText(*message, field, kSingle);
  }
  const int size = reflection.FieldSize(*message, &field);
  if (size == 0) return std::nullopt;
  if (field.is_map()) return MapText(*message, field);
  std::vector<std::string> elements;
  for (int i = 0; i < size; ++i) elements.push_back(ValueText(*message, field, i));
  return absl::StrJoin(elements, ";");
}

std::vector<RecordField> AllFields(const Descriptor* record) {
  std::vector<RecordField> all;
  for (int i = 0; i < record->field_count(); ++i) {
    const FieldDescriptor* field = record->field(i);
    if (!HasFields(*field)) {
      all.push_back(RecordField(field->name(), {field}));
      continue;
    }
    for (RecordField& inner : AllFields(field->message_type())) {
      inner.path_ = absl::StrCat(field->name(), ".", inner.path_);
      inner.fields_.insert(inner.fields_.begin(), field);
      all.push_back(std::move(inner));
    }
  }
  return all;
}

const Message* TypedRecord(const v1::Participant& participant) {
  const FieldDescriptor* record = participant.GetReflection()->GetOneofFieldDescriptor(
      participant, v1::Participant::descriptor()->FindOneofByName("record"));
  if (record == nullptr) return nullptr;
  return &participant.GetReflection()->GetMessage(participant, record);
}

}  // namespace rollcall
