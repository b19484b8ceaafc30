#include "tests/record/oracle.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/util/message_differencer.h"
#include "nlohmann/json.hpp"

namespace rollcall::service {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Duration;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::Timestamp;
using nlohmann::json;
using v1::UnrecognizedValue;

// A JSON value that keeps what nlohmann::json loses: the order of members, duplicate names, and the
// text of non-integer numbers.
struct Value {
  enum class Type { kNull, kBoolean, kInteger, kReal, kString, kArray, kObject };

  Type type = Type::kNull;
  bool boolean = false;
  std::string text;  // a string's value or a number's text
  double real = 0;
  std::vector<std::string> names;  // an object's names, parallel to `items`
  std::vector<Value> items;

  bool Is(Type other) const { return type == other; }
};

class ValueReader final : public nlohmann::json_sax<json> {
 public:
  Value root;

  bool null() override { return Add({}); }
  bool boolean(bool value) override {
    Value added;
    added.type = Value::Type::kBoolean;
    added.boolean = value;
    return Add(std::move(added));
  }
  bool number_integer(int64_t value) override { return AddInteger(absl::StrCat(value)); }
  bool number_unsigned(uint64_t value) override { return AddInteger(absl::StrCat(value)); }
  bool number_float(double value, const std::string& text) override {
    Value added;
    added.type = Value::Type::kReal;
    added.real = value;
    added.text = text;
    // An integer too large for any integer type.
    if (text.find_first_of(".eE") == std::string::npos) added.type = Value::Type::kInteger;
    return Add(std::move(added));
  }
  bool string(std::string& value) override {
    Value added;
    added.type = Value::Type::kString;
    added.text = value;
    return Add(std::move(added));
  }
  bool binary(json::binary_t& /*value*/) override { return false; }
  bool start_object(size_t /*size*/) override { return Open(Value::Type::kObject); }
  bool start_array(size_t /*size*/) override { return Open(Value::Type::kArray); }
  bool key(std::string& name) override {
    open_.back().names.push_back(name);
    return true;
  }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool parse_error(size_t /*position*/, const std::string& /*last_token*/,
                   const json::exception& /*error*/) override {
    return false;
  }

 private:
  bool AddInteger(std::string text) {
    Value added;
    added.type = Value::Type::kInteger;
    added.text = std::move(text);
    return Add(std::move(added));
  }
  bool Open(Value::Type type) {
    open_.emplace_back();
    open_.back().type = type;
    return true;
  }
  bool Close() {
    Value closed = std::move(open_.back());
    open_.pop_back();
    return Add(std::move(closed));
  }
  bool Add(Value value) {
    (open_.empty() ? root : open_.back().items.emplace_back()) = std::move(value);
    return true;
  }

  std::vector<Value> open_;
};

std::optional<Value> Read(absl::string_view text) {
  // The parser treats a zero byte as the end of the text, but JSON does not allow one.
  if (absl::StrContains(text, absl::string_view("\0", 1))) return std::nullopt;
  ValueReader reader;
  const bool valid = json::sax_parse(text.begin(), text.end(), &reader);
  if (!valid) return std::nullopt;
  return std::move(reader.root);
}

// The value as normalized JSON: equal values have equal texts. Non-integer numbers keep their
// original text.
std::string NormalForm(const Value& value) {
  switch (value.type) {
    case Value::Type::kNull:
      return "null";
    case Value::Type::kBoolean:
      return value.boolean ? "true" : "false";
    case Value::Type::kInteger:
    case Value::Type::kReal:
      return value.text;
    case Value::Type::kString:
      return json(value.text).dump();
    case Value::Type::kArray:
    case Value::Type::kObject:
      break;
  }
  const bool object = value.Is(Value::Type::kObject);
  std::string text(object ? "{" : "[");
  for (size_t i = 0; i < value.items.size(); ++i) {
    if (i > 0) text.push_back(',');
    if (object) absl::StrAppend(&text, json(value.names[i]).dump(), ":");
    text.append(NormalForm(value.items[i]));
  }
  text.append(object ? "}" : "]");
  return text;
}

// The provider's names for fields that we name differently, from the comments in proto/.
std::vector<std::string> NamesOf(const FieldDescriptor& field) {
  static const auto* const kNames = new std::map<std::string, std::vector<std::string>>{
      {"rollcall.v1.ConferenceParticipantSummary.from_address", {"from"}},
      {"rollcall.v1.ConferenceParticipantSummary.to_address", {"to"}},
      {"rollcall.v1.ConferenceParticipantSummary.duration", {"duration_seconds"}},
      {"rollcall.v1.RoomParticipantSummary.duration", {"duration_sec"}},
      {"rollcall.v1.ConferenceParticipantProperties.play_early_media",
       {"play_early_media", "early_media"}},
  };
  const auto found = kNames->find(field.full_name());
  return found == kNames->end() ? std::vector<std::string>{field.name()} : found->second;
}

const FieldDescriptor* FindField(const Descriptor& message, const std::string& name) {
  using Fields = std::map<std::string, const FieldDescriptor*>;
  // The benchmark's reader decodes on several threads.
  thread_local std::map<const Descriptor*, Fields> all_fields;
  const auto [fields, is_new] = all_fields.try_emplace(&message);
  for (int i = 0; is_new && i < message.field_count(); ++i) {
    for (const std::string& known : NamesOf(*message.field(i))) {
      fields->second.emplace(known, message.field(i));
    }
  }
  const auto found = fields->second.find(name);
  return found == fields->second.end() ? nullptr : found->second;
}

// 2^53: beyond it, some integers have no exact double.
constexpr double kInexactFrom = 9007199254740992.0;

std::optional<int64_t> Whole(const Value& value) {
  int64_t integer;
  if (value.Is(Value::Type::kInteger) && absl::SimpleAtoi(value.text, &integer)) return integer;
  if (value.Is(Value::Type::kReal) && std::floor(value.real) == value.real &&
      std::abs(value.real) < kInexactFrom) {
    return static_cast<int64_t>(value.real);
  }
  return std::nullopt;
}

std::optional<double> Real(const Value& value) {
  if (value.Is(Value::Type::kReal)) return value.real;
  const std::optional<int64_t> integer = Whole(value);
  if (!integer || std::abs(static_cast<double>(*integer)) >= kInexactFrom) return std::nullopt;
  return static_cast<double>(*integer);
}

std::optional<Timestamp> TimestampOf(absl::Time time) {
  if (time < absl::FromCivil(absl::CivilYear(1), absl::UTCTimeZone()) ||
      time >= absl::FromCivil(absl::CivilYear(10000), absl::UTCTimeZone())) {
    return std::nullopt;
  }
  const int64_t seconds = absl::ToUnixSeconds(time);  // rounds down
  Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return timestamp;
}

std::optional<Timestamp> EpochMilliseconds(const Value& value) {
  const std::optional<int64_t> millis = Whole(value);
  if (!millis) return std::nullopt;
  return TimestampOf(absl::UnixEpoch() + absl::Milliseconds(*millis));
}

// The text with every digit replaced by 0.
std::string Shape(absl::string_view text) {
  std::string shape(text);
  for (char& c : shape) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c))) c = '0';
  }
  return shape;
}

bool IsOffset(absl::string_view shape) {
  return shape == "+00:00" || shape == "-00:00" || shape == "+0000" || shape == "-0000";
}

bool IsIso8601(const std::string& text) {
  const std::string upper = Shape(absl::AsciiStrToUpper(text));
  absl::string_view shape = upper;
  if (!absl::ConsumePrefix(&shape, "0000-00-00T00:00:00")) return false;
  if (text[17] > '5') return false;  // a leap second
  if (absl::ConsumePrefix(&shape, ".")) {
    const size_t digits = std::min(shape.find_first_not_of('0'), shape.size());
    if (digits < 1 || digits > 9) return false;
    shape.remove_prefix(digits);
  }
  return shape == "Z" || IsOffset(shape);
}

// Reduces any RFC 2822 date to the form "24 Sep 2018 21:00:00 +0000".
std::optional<std::string> PlainRfc2822(const std::string& text) {
  if (absl::StartsWith(text, " ") || absl::EndsWith(text, " ")) return std::nullopt;
  std::vector<std::string> parts = absl::StrSplit(text, ' ', absl::SkipEmpty());
  const auto is_word = [](absl::string_view part) {
    for (const char c : part) {
      if (!absl::ascii_isalpha(static_cast<unsigned char>(c))) return false;
    }
    return !part.empty();
  };
  if (parts.size() == 6 && absl::EndsWith(parts[0], ",") &&
      is_word(absl::StripSuffix(parts[0], ","))) {
    parts.erase(parts.begin());
  }
  if (parts.size() != 5) return std::nullopt;
  const std::string day = Shape(parts[0]);
  const std::string clock = Shape(parts[3]);
  if ((day != "0" && day != "00") || !is_word(parts[1]) || Shape(parts[2]) != "0000") {
    return std::nullopt;
  }
  if (absl::EqualsIgnoreCase(parts[1], "sept")) parts[1] = "Sep";
  if (clock == "00:00") {
    parts[3] += ":00";
  } else if (clock != "00:00:00" || parts[3][6] > '5') {
    return std::nullopt;
  }
  if (parts[4] == "GMT" || parts[4] == "UTC" || parts[4] == "UT" || parts[4] == "Z") {
    parts[4] = "+0000";
  }
  if (!IsOffset(Shape(parts[4]))) return std::nullopt;
  return absl::StrJoin(parts, " ");
}

// 10,000 years.
constexpr int64_t kMostSeconds = 315576000000;

std::optional<Duration> DurationOf(const FieldDescriptor& field, const Value& value) {
  int64_t seconds = 0;
  int64_t millis = 0;
  if (field.name() == "queue_time") {
    if (!value.Is(Value::Type::kString) || !absl::SimpleAtoi(value.text, &millis) ||
        value.text.find_first_not_of("-0123456789") != std::string::npos) {
      return std::nullopt;
    }
    seconds = millis / 1000;
    millis %= 1000;
  } else {
    const std::optional<int64_t> whole = Whole(value);
    if (!whole) return std::nullopt;
    seconds = *whole;
  }
  if (seconds > kMostSeconds || seconds < -kMostSeconds) return std::nullopt;
  Duration duration;
  duration.set_seconds(seconds);
  duration.set_nanos(static_cast<int32_t>(millis * 1000000));
  return duration;
}

class Oracle {
 public:
  explicit Oracle(const std::vector<std::string>& mask) : mask_(mask) {}

  v1::Participant participant;

  void DecodeObject(const Value& object, const std::string& provider_path,
                    const std::string& proto_path, Message& message) {
    std::set<const FieldDescriptor*> seen;
    for (size_t i = 0; i < object.items.size(); ++i) {
      const Value& value = object.items[i];
      const std::string provider = Join(provider_path, object.names[i]);
      const FieldDescriptor* field = FindField(*message.GetDescriptor(), object.names[i]);
      if (field == nullptr) {
        if (IsWholly(proto_path)) {
          AddUnrecognized(provider, value, UnrecognizedValue::KIND_UNKNOWN_FIELD);
        }
        continue;
      }
      const std::string proto =
          proto_path.empty() ? field->name() : absl::StrCat(proto_path, ".", field->name());
      if (!IsWholly(proto) && !IsPartly(proto)) continue;
      if (!seen.insert(field).second) {
        AddUnrecognized(provider, value, UnrecognizedValue::KIND_DUPLICATE_FIELD);
      } else if (value.Is(Value::Type::kNull)) {
        participant.mutable_null_fields()->add_paths(proto);
      } else {
        DecodeField(value, *field, provider, proto, message);
      }
    }
  }

 private:
  using Type = Value::Type;

  static std::string Join(const std::string& path, const std::string& name) {
    const bool plain = !name.empty() && name.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789_") == std::string::npos;
    if (plain) return absl::StrCat(path, path.empty() ? "" : ".", name);
    return absl::StrCat(path, "['", absl::StrReplaceAll(name, {{"\\", "\\\\"}, {"'", "\\'"}}),
                        "']");
  }

  bool IsWholly(const std::string& path) const {
    if (mask_.empty()) return true;
    for (const std::string& selected : mask_) {
      if (path == selected || absl::StartsWith(path, selected + ".")) return true;
    }
    return false;
  }

  bool IsPartly(const std::string& path) const {
    for (const std::string& selected : mask_) {
      if (absl::StartsWith(selected, path + ".")) return true;
    }
    return false;
  }

  void AddUnrecognized(const std::string& path, const Value& value, UnrecognizedValue::Kind kind) {
    auto* const unrecognized = participant.add_unrecognized();
    unrecognized->set_path(path);
    unrecognized->set_json(NormalForm(value));
    unrecognized->set_kind(kind);
  }

  void DecodeField(const Value& value, const FieldDescriptor& field, const std::string& provider,
                   const std::string& proto, Message& message) {
    const Reflection& reflection = *message.GetReflection();
    const bool is_table = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field.is_map() &&
                          field.message_type()->file()->package() == "rollcall.v1";
    if (is_table && value.Is(Type::kObject)) {
      DecodeObject(value, provider, proto, *reflection.MutableMessage(&message, &field));
      return;
    }
    if (field.is_repeated() && value.items.empty() &&
        value.Is(field.is_map() ? Type::kObject : Type::kArray)) {
      participant.mutable_empty_fields()->add_paths(proto);
      return;
    }
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM && value.Is(Type::kString)) {
      for (int i = 1; i < field.enum_type()->value_count(); ++i) {
        if (ProviderText(*field.enum_type()->value(i)) != value.text) continue;
        reflection.SetEnum(&message, &field, field.enum_type()->value(i));
        return;
      }
      AddUnrecognized(provider, value, UnrecognizedValue::KIND_UNKNOWN_ENUM_VALUE);
      return;
    }
    if (!Set(value, field, message)) {
      AddUnrecognized(provider, value, UnrecognizedValue::KIND_WRONG_TYPE);
    }
  }

  // False, with the message unchanged, if the value does not have the field's type.
  static bool Set(const Value& value, const FieldDescriptor& field, Message& message) {
    const Reflection& reflection = *message.GetReflection();
    if (field.is_map()) {
      // `events` is the only map in the API.
      auto& summary = static_cast<v1::ConferenceParticipantSummary&>(message);
      google::protobuf::Map<std::string, v1::EventTimes> events;
      if (!ReadEvents(value, events)) return false;
      *summary.mutable_events() = std::move(events);
      return true;
    }
    if (field.is_repeated()) {
      if (!value.Is(Type::kArray)) return false;
      for (const Value& item : value.items) {
        if (!item.Is(Type::kString)) return false;
      }
      for (const Value& item : value.items) reflection.AddString(&message, &field, item.text);
      return true;
    }
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        if (value.Is(Type::kString)) reflection.SetString(&message, &field, value.text);
        return value.Is(Type::kString);
      case FieldDescriptor::CPPTYPE_BOOL:
        if (value.Is(Type::kBoolean)) reflection.SetBool(&message, &field, value.boolean);
        return value.Is(Type::kBoolean);
      case FieldDescriptor::CPPTYPE_INT64: {
        const std::optional<int64_t> whole = Whole(value);
        if (whole) reflection.SetInt64(&message, &field, *whole);
        return whole.has_value();
      }
      case FieldDescriptor::CPPTYPE_DOUBLE: {
        const std::optional<double> real = Real(value);
        if (real) reflection.SetDouble(&message, &field, *real);
        return real.has_value();
      }
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (field.message_type() == Timestamp::descriptor()) {
          if (!value.Is(Type::kString)) return false;
          return Put(ParseTimeByOracle(value.text), field, message);
        }
        if (field.message_type() == Duration::descriptor()) {
          return Put(DurationOf(field, value), field, message);
        }
        return false;
      default:
        return false;
    }
  }

  template <class M>
  static bool Put(const std::optional<M>& value, const FieldDescriptor& field, Message& message) {
    if (value) message.GetReflection()->MutableMessage(&message, &field)->CopyFrom(*value);
    return value.has_value();
  }

  static bool ReadEvents(const Value& value,
                         google::protobuf::Map<std::string, v1::EventTimes>& events) {
    if (!value.Is(Type::kObject)) return false;
    for (size_t i = 0; i < value.items.size(); ++i) {
      if (!value.items[i].Is(Type::kArray) || events.contains(value.names[i])) return false;
      v1::EventTimes& times = events[value.names[i]];
      for (const Value& item : value.items[i].items) {
        const std::optional<Timestamp> time = EpochMilliseconds(item);
        if (!time) return false;
        *times.add_times() = *time;
      }
    }
    return true;
  }

  const std::vector<std::string> mask_;
};

}  // namespace

std::optional<v1::Participant> DecodeByOracle(absl::string_view json,
                                              v1::Participant::RecordCase kind,
                                              const std::vector<std::string>& mask) {
  const std::optional<Value> record = Read(json);
  if (!record || !record->Is(Value::Type::kObject)) return std::nullopt;
  Oracle oracle(mask);
  const FieldDescriptor* const field = v1::Participant::descriptor()->FindFieldByNumber(kind);
  Message& message =
      *oracle.participant.GetReflection()->MutableMessage(&oracle.participant, field);
  oracle.DecodeObject(*record, "", "", message);
  return std::move(oracle.participant);
}

std::optional<Timestamp> ParseTimeByOracle(const std::string& text) {
  absl::Time time;
  if (IsIso8601(text)) {
    if (!absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) return std::nullopt;
  } else {
    const std::optional<std::string> plain = PlainRfc2822(text);
    if (!plain || !absl::ParseTime("%d %b %Y %H:%M:%S %Ez", *plain, &time, nullptr)) {
      return std::nullopt;
    }
  }
  return TimestampOf(time);
}

std::vector<std::string> ProviderNames(const Descriptor& message) {
  std::vector<std::string> names;
  for (int i = 0; i < message.field_count(); ++i) {
    for (std::string& name : NamesOf(*message.field(i))) names.push_back(std::move(name));
  }
  return names;
}

std::string ProviderText(const EnumValueDescriptor& value) {
  // CALL_STATUS_UNSPECIFIED gives the prefix of the other values.
  const absl::string_view prefix = absl::StripSuffix(value.type()->value(0)->name(), "UNSPECIFIED");
  std::string text = absl::AsciiStrToLower(absl::StripPrefix(value.name(), prefix));
  // Only the live lists write hyphens.
  if (value.type() == v1::LiveParticipantStatus_descriptor()) {
    absl::StrReplaceAll({{"_", "-"}}, &text);
  }
  return text;
}

testing::AssertionResult SameParticipant(const v1::Participant& oracle,
                                         const v1::Participant& decoded, absl::string_view json) {
  v1::Participant normal = decoded;
  for (auto& unrecognized : *normal.mutable_unrecognized()) {
    const std::string& text = unrecognized.json();
    if (!absl::StrContains(json, text)) {
      return testing::AssertionFailure()
             << unrecognized.path() << " is not a verbatim part of the record: " << text;
    }
    if (absl::StripAsciiWhitespace(text) != text) {
      return testing::AssertionFailure() << unrecognized.path() << " has whitespace around it";
    }
    const std::optional<Value> value = Read(text);
    if (!value) {
      return testing::AssertionFailure() << unrecognized.path() << " is not JSON: " << text;
    }
    unrecognized.set_json(NormalForm(*value));
  }
  std::string differences;
  google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&differences);
  if (differencer.Compare(oracle, normal)) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "differences between oracle and decoder:\n" << differences;
}

}  // namespace rollcall::service
