// Describes how a provider's JSON objects become protobuf messages: one table a message, one row a
// field. A provider writes its tables with the row makers below; the record decoder walks them and
// the field selection is checked against them. Rows write protobuf's wire format, so the compiler
// cannot hold them against the generated messages: tests/provider/schema_test.cc does. Tables are
// constant and shared by all threads.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "rollcall/v1/participant.pb.h"
#include "service/record/json_value.h"
#include "service/record/wire_writer.h"

namespace rollcall {

struct FieldSchema;
struct ObjectSchema;

// What became of a JSON value that is not null.
enum class Outcome {
  kSet,           // the message's field holds it
  kEmpty,         // an empty array or object for a repeated or map field
  kWrongType,     // not of the field's type, range or format
  kUnknownValue,  // text for an enum that does not have it
};

// An enum's text at the provider, and the number of the value.
struct EnumText {
  std::string_view text;
  int value;
};

// Writes a value as the field; what it wrote counts only where it answers kSet.
using Store = Outcome (*)(const JsonValue& value, const FieldSchema& field, WireWriter& message);

// A row: one field of a JSON object.
struct FieldSchema {
  absl::string_view name;   // the provider's
  absl::string_view proto;  // the message's
  int number;               // the message's field number, at most 63
  uint32_t tag;             // the number, and the form in which the value is written

  // Null where `object` is set.
  Store store = nullptr;
  // For an enum.
  absl::Span<const EnumText> texts = {};
  // For a field that is an object: its table.
  const ObjectSchema* object = nullptr;
  // Whether not every caller may see it.
  bool is_personal = false;
};

// A table: all fields of a JSON object, in the order in which the provider writes them most often,
// which is the order that is quickest to read.
struct ObjectSchema {
  absl::Span<const FieldSchema> fields;
};

// What the decoder needs to know of a kind of record.
struct RecordSchema {
  const ObjectSchema& object;
  // The field, in the provider's name, whose text tells a record from all others of its list.
  std::string_view identity;
  // The typed record inside the Participant.
  v1::Participant::RecordCase record;
};

// The types of value.
Outcome StoreString(const JsonValue& value, const FieldSchema& field, WireWriter& message);
Outcome StoreInteger(const JsonValue& value, const FieldSchema& field, WireWriter& message);
Outcome StoreNumber(const JsonValue& value, const FieldSchema& field, WireWriter& message);
Outcome StoreBoolean(const JsonValue& value, const FieldSchema& field, WireWriter& message);
Outcome StoreEnum(const JsonValue& value, const FieldSchema& field, WireWriter& message);
Outcome StoreTime(const JsonValue& value, const FieldSchema& field, WireWriter& message);
Outcome StoreSeconds(const JsonValue& value, const FieldSchema& field, WireWriter& message);
Outcome StoreMillisecondsText(const JsonValue& value, const FieldSchema& field,
                              WireWriter& message);
Outcome StoreStrings(const JsonValue& value, const FieldSchema& field, WireWriter& message);
Outcome StoreEvents(const JsonValue& value, const FieldSchema& field, WireWriter& message);

// Makes rows, each from the provider's name, the number of the message's field, and the message's
// name where it is another.
namespace row {

using Name = absl::string_view;

constexpr FieldSchema Make(Name name, Name proto, int number, uint32_t tag, Store store) {
  return {name, proto.empty() ? name : proto, number, tag, store};
}

// Text, for a string.
constexpr FieldSchema String(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, LengthDelimitedTag(number), &StoreString);
}

// A whole number, for an int64.
constexpr FieldSchema Integer(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, VarintTag(number), &StoreInteger);
}

// A number, for a double.
constexpr FieldSchema Number(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, Fixed64Tag(number), &StoreNumber);
}

constexpr FieldSchema Boolean(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, VarintTag(number), &StoreBoolean);
}

// One of `texts`, for an enum.
constexpr FieldSchema Enum(Name name, int number, absl::Span<const EnumText> texts,
                           Name proto = {}) {
  FieldSchema field = Make(name, proto, number, VarintTag(number), &StoreEnum);
  field.texts = texts;
  return field;
}

// A moment as text, for a google.protobuf.Timestamp.
constexpr FieldSchema Time(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, LengthDelimitedTag(number), &StoreTime);
}

// A whole number of seconds, for a google.protobuf.Duration.
constexpr FieldSchema Seconds(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, LengthDelimitedTag(number), &StoreSeconds);
}

// A whole number of milliseconds as text, for a google.protobuf.Duration.
constexpr FieldSchema MillisecondsText(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, LengthDelimitedTag(number), &StoreMillisecondsText);
}

// An array of texts, for a repeated string.
constexpr FieldSchema Strings(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, LengthDelimitedTag(number), &StoreStrings);
}

// Arrays of milliseconds since 1970 by the event's name, for a map<string, EventTimes>.
constexpr FieldSchema Events(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, LengthDelimitedTag(number), &StoreEvents);
}

// An object with a table of its own, for a nested message.
constexpr FieldSchema Object(Name name, int number, const ObjectSchema& object, Name proto = {}) {
  FieldSchema field = Make(name, proto, number, LengthDelimitedTag(number), nullptr);
  field.object = &object;
  return field;
}

// The same row for what tells who somebody is or how to reach them, or is somebody's own words.
constexpr FieldSchema Personal(FieldSchema field) {
  field.is_personal = true;
  return field;
}

}  // namespace row
}  // namespace rollcall
