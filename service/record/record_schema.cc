#include "service/record/record_schema.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/container/inlined_vector.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "rollcall/v1/conference_participant_summary.pb.h"
#include "service/record/times.h"

namespace rollcall::service {
namespace {

// Up to this limit, every integer has an exact double that no other integer shares.
constexpr int64_t kMaxExactInteger = 9007199254740991;  // 2^53 - 1

// The range of google.protobuf.Duration: 10,000 years of seconds.
constexpr int64_t kMaxDurationSeconds = 315576000000;

// The range of google.protobuf.Timestamp in milliseconds: the years 1 to 9999.
constexpr int64_t kFirstMillis = -62135596800000;
constexpr int64_t kLastMillis = 253402300799999;

// Whether the value is written as a non-integer number. simdjson's is_double() is true for integers
// as well.
bool IsReal(const JsonValue& value) { return value.type() == simdjson::dom::element_type::DOUBLE; }

bool ReadInteger(const JsonValue& value, int64_t& number) {
  if (value.get(number) == simdjson::SUCCESS) return true;
  double real;
  if (!IsReal(value) || value.get(real) != simdjson::SUCCESS) return false;
  if (std::trunc(real) != real || std::abs(real) > double{kMaxExactInteger}) return false;
  number = static_cast<int64_t>(real);
  return true;
}

bool ReadNumber(const JsonValue& value, double& number) {
  if (IsReal(value)) return value.get(number) == simdjson::SUCCESS;
  int64_t integer;
  if (value.get(integer) != simdjson::SUCCESS || integer > kMaxExactInteger ||
      integer < -kMaxExactInteger) {
    return false;
  }
  number = static_cast<double>(integer);
  return true;
}

// Writes a google.protobuf.Timestamp or Duration, which have the same fields. As in proto3, zero is
// not written.
void WriteTime(uint32_t tag, int64_t seconds, int64_t nanos, WireWriter& message) {
  using google::protobuf::Duration;
  using google::protobuf::Timestamp;
  static_assert(int{Timestamp::kSecondsFieldNumber} == int{Duration::kSecondsFieldNumber});
  static_assert(int{Timestamp::kNanosFieldNumber} == int{Duration::kNanosFieldNumber});
  const size_t time = message.Open(tag);
  if (seconds != 0) message.WriteVarint(VarintTag(Timestamp::kSecondsFieldNumber), seconds);
  if (nanos != 0) message.WriteVarint(VarintTag(Timestamp::kNanosFieldNumber), nanos);
  message.Close(time);
}

bool WriteEpochMillis(uint32_t tag, int64_t millis, WireWriter& message) {
  if (millis < kFirstMillis || millis > kLastMillis) return false;
  int64_t seconds = millis / 1000;
  int64_t rest = millis % 1000;
  if (rest < 0) {
    rest += 1000;
    --seconds;
  }
  WriteTime(tag, seconds, rest * 1000000, message);
  return true;
}

// A map would keep only one of two members with the same name.
bool HasNameTwice(const simdjson::dom::object& object) {
  absl::InlinedVector<std::string_view, 16> names;
  for (const auto member : object) names.push_back(member.key);
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

}  // namespace

Outcome StoreString(const JsonValue& value, const FieldSchema& field, WireWriter& message) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return Outcome::kWrongType;
  message.WriteBytes(field.tag, text);
  return Outcome::kSet;
}

Outcome StoreInteger(const JsonValue& value, const FieldSchema& field, WireWriter& message) {
  int64_t integer;
  if (!ReadInteger(value, integer)) return Outcome::kWrongType;
  message.WriteVarint(field.tag, integer);
  return Outcome::kSet;
}

Outcome StoreNumber(const JsonValue& value, const FieldSchema& field, WireWriter& message) {
  double real;
  if (!ReadNumber(value, real)) return Outcome::kWrongType;
  message.WriteDouble(field.tag, real);
  return Outcome::kSet;
}

Outcome StoreBoolean(const JsonValue& value, const FieldSchema& field, WireWriter& message) {
  bool boolean;
  if (value.get(boolean) != simdjson::SUCCESS) return Outcome::kWrongType;
  message.WriteVarint(field.tag, boolean ? 1 : 0);
  return Outcome::kSet;
}

Outcome StoreEnum(const JsonValue& value, const FieldSchema& field, WireWriter& message) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return Outcome::kWrongType;
  for (const EnumText& known : field.texts) {
    if (known.text != text) continue;
    message.WriteVarint(field.tag, known.value);
    return Outcome::kSet;
  }
  return Outcome::kUnknownValue;
}

Outcome StoreTime(const JsonValue& value, const FieldSchema& field, WireWriter& message) {
  std::string_view text;
  google::protobuf::Timestamp time;
  if (value.get(text) != simdjson::SUCCESS || !ParseTime(text, time)) return Outcome::kWrongType;
  WriteTime(field.tag, time.seconds(), time.nanos(), message);
  return Outcome::kSet;
}

Outcome StoreSeconds(const JsonValue& value, const FieldSchema& field, WireWriter& message) {
  int64_t seconds;
  if (!ReadInteger(value, seconds) || seconds > kMaxDurationSeconds ||
      seconds < -kMaxDurationSeconds) {
    return Outcome::kWrongType;
  }
  WriteTime(field.tag, seconds, 0, message);
  return Outcome::kSet;
}

Outcome StoreMillisecondsText(const JsonValue& value, const FieldSchema& field,
                              WireWriter& message) {
  std::string_view text;
  int64_t millis = 0;
  if (value.get(text) != simdjson::SUCCESS) return Outcome::kWrongType;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), millis);
  if (error != std::errc() || end != text.data() + text.size() ||
      millis / 1000 > kMaxDurationSeconds || millis / 1000 < -kMaxDurationSeconds) {
    return Outcome::kWrongType;
  }
  WriteTime(field.tag, millis / 1000, millis % 1000 * 1000000, message);
  return Outcome::kSet;
}

Outcome StoreStrings(const JsonValue& value, const FieldSchema& field, WireWriter& message) {
  simdjson::dom::array items;
  if (value.get(items) != simdjson::SUCCESS) return Outcome::kWrongType;
  Outcome outcome = Outcome::kEmpty;
  for (const JsonValue item : items) {
    outcome = StoreString(item, field, message);
    if (outcome != Outcome::kSet) break;
  }
  return outcome;
}

// In the wire format, a map is a repeated message with the fields key = 1 and value = 2.
// A time takes up to 19 bytes, and in JSON as few as 2. Beyond this many times, the value is
// delivered as unrecognized text, so that the message does not become many times the record.
constexpr int kMaxEventTimes = 10000;

Outcome StoreEvents(const JsonValue& value, const FieldSchema& field, WireWriter& message) {
  simdjson::dom::object events;
  int count = 0;
  if (value.get(events) != simdjson::SUCCESS || HasNameTwice(events)) return Outcome::kWrongType;
  Outcome outcome = Outcome::kEmpty;
  for (const auto event : events) {
    simdjson::dom::array moments;
    if (event.value.get(moments) != simdjson::SUCCESS) return Outcome::kWrongType;
    const size_t entry = message.Open(field.tag);
    message.WriteBytes(LengthDelimitedTag(1), event.key);
    const size_t times = message.Open(LengthDelimitedTag(2));
    for (const JsonValue moment : moments) {
      int64_t millis;
      if (++count > kMaxEventTimes || !ReadInteger(moment, millis) ||
          !WriteEpochMillis(LengthDelimitedTag(v1::EventTimes::kTimesFieldNumber), millis,
                            message)) {
        return Outcome::kWrongType;
      }
    }
    message.Close(times);
    message.Close(entry);
    outcome = Outcome::kSet;
  }
  return outcome;
}

}  // namespace rollcall::service
