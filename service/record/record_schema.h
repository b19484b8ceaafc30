// Tables that map a provider's JSON objects to protobuf messages: one table per message, one row
// per field. The row factories below create the rows. Rows write protobuf's wire format, so the
// compiler cannot check them against the generated messages; tests/provider/schema_test.cc does.
// Tables are constant and shared by all threads.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "rollcall/v1/participant.pb.h"
#include "service/record/json_value.h"
#include "service/record/wire_writer.h"

namespace rollcall::service {

struct FieldSchema;
struct ObjectSchema;

// The result of storing a JSON value that is not null.
enum class Outcome {
  kSet,           // stored in the message's field
  kEmpty,         // an empty array or object for a repeated or map field
  kWrongType,     // not of the field's type, range or format
  kUnknownValue,  // not one of the enum's texts
};

// The provider's text for an enum value, and the value's number.
struct EnumText {
  std::string_view text;
  int value;
};

// Writes `value` to `message` as `field`. The caller must discard the output unless the result is
// kSet.
using Store = Outcome (*)(const JsonValue& value, const FieldSchema& field, WireWriter& message);

// A row: one field of a JSON object.
struct FieldSchema {
  absl::string_view name;   // the provider's name
  absl::string_view proto;  // the message's field name
  int number;               // the message's field number, at most 63
  uint32_t tag;             // field number and wire type

  // Null if `object` is set.
  Store store = nullptr;
  // The texts of an enum.
  absl::Span<const EnumText> texts = {};
  // The table of a nested object.
  const ObjectSchema* object = nullptr;
  // Personal data, which only callers with permission may see.
  bool is_personal = false;
};

// A table: all fields of a JSON object. Rows in the provider's usual order decode fastest.
struct ObjectSchema {
  absl::Span<const FieldSchema> fields;
};

// Describes a kind of record to the decoder.
struct RecordSchema {
  const ObjectSchema& object;
  // The provider's name of the field whose text identifies a record within its list.
  std::string_view identity;
  // The typed record inside the Participant.
  v1::Participant::RecordCase record;
};

// One function per type of value.
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

// Row factories. They take the provider's name, the message's field number, and the message's field
// name if it differs from the provider's.
namespace row {

using Name = absl::string_view;

constexpr FieldSchema Make(Name name, Name proto, int number, uint32_t tag, Store store) {
  return {name, proto.empty() ? name : proto, number, tag, store};
}

// JSON string to protobuf string.
constexpr FieldSchema String(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, LengthDelimitedTag(number), &StoreString);
}

// JSON integer to int64.
constexpr FieldSchema Integer(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, VarintTag(number), &StoreInteger);
}

// JSON number to double.
constexpr FieldSchema Number(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, Fixed64Tag(number), &StoreNumber);
}

constexpr FieldSchema Boolean(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, VarintTag(number), &StoreBoolean);
}

// JSON string, one of `texts`, to enum.
constexpr FieldSchema Enum(Name name, int number, absl::Span<const EnumText> texts,
                           Name proto = {}) {
  FieldSchema field = Make(name, proto, number, VarintTag(number), &StoreEnum);
  field.texts = texts;
  return field;
}

// JSON string with a date and time, to google.protobuf.Timestamp.
constexpr FieldSchema Time(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, LengthDelimitedTag(number), &StoreTime);
}

// JSON integer in seconds, to google.protobuf.Duration.
constexpr FieldSchema Seconds(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, LengthDelimitedTag(number), &StoreSeconds);
}

// JSON string with an integer in milliseconds, to google.protobuf.Duration.
constexpr FieldSchema MillisecondsText(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, LengthDelimitedTag(number), &StoreMillisecondsText);
}

// JSON array of strings to repeated string.
constexpr FieldSchema Strings(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, LengthDelimitedTag(number), &StoreStrings);
}

// JSON object to map<string, EventTimes>: by event name, an array of milliseconds since the Unix
// epoch.
constexpr FieldSchema Events(Name name, int number, Name proto = {}) {
  return Make(name, proto, number, LengthDelimitedTag(number), &StoreEvents);
}

// JSON object with its own table, to a nested message.
constexpr FieldSchema Object(Name name, int number, const ObjectSchema& object, Name proto = {}) {
  FieldSchema field = Make(name, proto, number, LengthDelimitedTag(number), nullptr);
  field.object = &object;
  return field;
}

// Marks a row as personal data: it identifies a person, is a way to contact them, or is text that a
// person wrote.
constexpr FieldSchema Personal(FieldSchema field) {
  field.is_personal = true;
  return field;
}

}  // namespace row
}  // namespace rollcall::service
