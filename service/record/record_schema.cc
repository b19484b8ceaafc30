#include "service/record/record_schema.h"

#include <charconv>
#include <cmath>

#include "service/record/times.h"

namespace rollcall {
namespace {

// Up to here every integer has a double of its own, which is no other's.
constexpr int64_t kMaxExactInteger = 9007199254740991;  // 2^53 - 1

// The range of google.protobuf.Duration: 10,000 years of seconds.
constexpr int64_t kMaxDurationSeconds = 315576000000;

// The range of google.protobuf.Timestamp in milliseconds: the years 1 to 9999.
constexpr int64_t kFirstMillis = -62135596800000;
constexpr int64_t kLastMillis = 253402300799999;

// Whether the value is written as a number that is no integer; is_double() is true of integers as
// well.
bool IsReal(const JsonValue& value) { return value.type() == simdjson::dom::element_type::DOUBLE; }

bool StoreEpochMillis(int64_t millis, google::protobuf::Timestamp& time) {
  if (millis < kFirstMillis || millis > kLastMillis) return false;
  int64_t seconds = millis / 1000;
  int64_t rest = millis % 1000;
  if (rest < 0) {
    rest += 1000;
    --seconds;
  }
  time.set_seconds(seconds);
  time.set_nanos(static_cast<int32_t>(rest * 1000000));
  return true;
}

}  // namespace

Outcome StoreString(const JsonValue& value, std::string& field) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return Outcome::kWrongType;
  field.assign(text.data(), text.size());
  return Outcome::kSet;
}

Outcome StoreTimestamp(const JsonValue& value, google::protobuf::Timestamp& field) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS || !ParseTime(text, field)) {
    return Outcome::kWrongType;
  }
  return Outcome::kSet;
}

Outcome StoreSeconds(const JsonValue& value, google::protobuf::Duration& field) {
  int64_t seconds;
  if (!ReadInteger(value, seconds) || seconds > kMaxDurationSeconds ||
      seconds < -kMaxDurationSeconds) {
    return Outcome::kWrongType;
  }
  field.set_seconds(seconds);
  return Outcome::kSet;
}

Outcome StoreMillisecondsText(const JsonValue& value, google::protobuf::Duration& field) {
  std::string_view text;
  int64_t millis = 0;
  if (value.get(text) != simdjson::SUCCESS) return Outcome::kWrongType;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), millis);
  if (error != std::errc() || end != text.data() + text.size() ||
      millis / 1000 > kMaxDurationSeconds || millis / 1000 < -kMaxDurationSeconds) {
    return Outcome::kWrongType;
  }
  field.set_seconds(millis / 1000);
  field.set_nanos(static_cast<int32_t>(millis % 1000 * 1000000));
  return Outcome::kSet;
}

Outcome StoreStrings(const JsonValue& value,
                     google::protobuf::RepeatedPtrField<std::string>& field) {
  simdjson::dom::array items;
  if (value.get(items) != simdjson::SUCCESS) return Outcome::kWrongType;
  for (const JsonValue item : items) {
    if (StoreString(item, *field.Add()) != Outcome::kSet) return Outcome::kWrongType;
  }
  return field.empty() ? Outcome::kEmpty : Outcome::kSet;
}

Outcome StoreEvents(const JsonValue& value,
                    google::protobuf::Map<std::string, v1::EventTimes>& field) {
  simdjson::dom::object events;
  if (value.get(events) != simdjson::SUCCESS) return Outcome::kWrongType;
  for (const auto event : events) {
    simdjson::dom::array moments;
    if (event.value.get(moments) != simdjson::SUCCESS) return Outcome::kWrongType;
    const auto [times, is_new] = field.insert({std::string(event.key), v1::EventTimes()});
    if (!is_new) return Outcome::kWrongType;
    for (const JsonValue moment : moments) {
      int64_t millis;
      if (!ReadInteger(moment, millis) || !StoreEpochMillis(millis, *times->second.add_times())) {
        return Outcome::kWrongType;
      }
    }
  }
  return field.empty() ? Outcome::kEmpty : Outcome::kSet;
}

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

}  // namespace rollcall
