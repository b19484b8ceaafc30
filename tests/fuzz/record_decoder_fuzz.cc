// Fuzzes the record decoder. The input's first byte chooses the record's API and whether the
// upstream is strict; the rest is the record. The decoded record is compared, member by member,
// with another parser's result.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/util/message_differencer.h"
#include "nlohmann/json.hpp"
#include "service/error/error.h"
#include "service/provider/participant_api.h"
#include "service/record/record_decoder.h"
#include "tests/fuzz/require.h"

namespace rollcall::service {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;
using nlohmann::ordered_json;  // keeps the order of members, in which the decoder reports them

// The page reader rejects deeper records.
constexpr int kMaxDepth = 64;

const RecordSchema& SchemaOf(uint8_t choice) {
  static const std::array<const ParticipantApi*, 4> kApis = {
      &TwilioVoiceInsights(), &TwilioVideoInsights(), &TwilioCore(), &SignalWire()};
  return kApis[choice % kApis.size()]->record_schema();
}

absl::Status Decode(const RecordSchema& schema, bool strict, absl::string_view json,
                    v1::Participant& participant) {
  std::string padded(json);
  padded.resize(json.size() + RecordDecoder::kPadding);
  static DecoderScratch scratch;  // shared by all inputs, as by the calls of an event loop
  RecordDecoder decoder(scratch, schema, FieldSelection(), strict);
  absl::Status status = decoder.Decode(absl::string_view(padded).substr(0, json.size()));
  Require(participant.ParseFromString(std::string(decoder.bytes())),
          "the bytes can be parsed as a participant");
  Require(participant.record_case() == decoder.record(),
          "the participant has a record of the right kind");
  participant.DiscardUnknownFields();
  Require(participant.ByteSizeLong() == decoder.bytes().size(),
          "the bytes are in canonical length");
  return status;
}

size_t CountMembers(const ordered_json& value) {
  size_t count = value.is_object() ? value.size() : 0;
  if (value.is_structured()) {
    for (const auto& item : value) count += CountMembers(item);
  }
  return count;
}

enum class Reading {
  kValid,
  kMalformed,
  kUnknown,  // too deep, or with a number or a duplicate name that the other parser does not keep
};

Reading Parse(absl::string_view json, ordered_json& document) {
  size_t keys = 0;
  bool deep = false;
  const auto callback = [&](int depth, ordered_json::parse_event_t event, const ordered_json&) {
    if (event == ordered_json::parse_event_t::key) ++keys;
    deep |= depth > kMaxDepth;
    return true;
  };
  try {
    document = ordered_json::parse(json.begin(), json.end(), callback);
  } catch (const ordered_json::out_of_range&) {
    return Reading::kUnknown;
  } catch (const ordered_json::parse_error&) {
    return deep ? Reading::kUnknown : Reading::kMalformed;
  }
  return deep || keys != CountMembers(document) ? Reading::kUnknown : Reading::kValid;
}

// Walks over a record, and consumes the expected entries of the participant's lists in order.
class Comparison {
 public:
  explicit Comparison(const v1::Participant& participant) : participant_(participant) {}

  void CompareRecord(const ordered_json& record, const ObjectSchema& schema,
                     const Message& message) {
    CompareObject(record, schema, message, "");
    Require(nulls_ == participant_.null_fields().paths_size(), "every null field was null");
    Require(empties_ == participant_.empty_fields().paths_size(), "every empty field was empty");
    Require(unrecognized_ == participant_.unrecognized_size(),
            "every unrecognized value was in the record");
  }

 private:
  void CompareObject(const ordered_json& object, const ObjectSchema& schema, const Message& message,
                     const std::string& path) {
    const auto& descriptor = *message.GetDescriptor();
    uint64_t seen = 0;
    for (const auto& [name, value] : object.items()) {
      const FieldSchema* row = nullptr;
      for (const FieldSchema& known : schema.fields) {
        if (known.name == name) row = &known;
      }
      if (row == nullptr) {
        CompareUnrecognized(value, v1::UnrecognizedValue::KIND_UNKNOWN_FIELD);
        continue;
      }
      const FieldDescriptor* const field = descriptor.FindFieldByNumber(row->number);
      Require(field != nullptr && field->name() == row->proto, "a row of a table names a field");
      // Two names for the same field.
      if ((seen & (uint64_t{1} << row->number)) != 0) {
        CompareUnrecognized(value, v1::UnrecognizedValue::KIND_DUPLICATE_FIELD);
        continue;
      }
      seen |= uint64_t{1} << row->number;
      CompareField(value, *row, *field, message,
                   absl::StrCat(path, path.empty() ? "" : ".", field->name()));
    }
    for (const FieldSchema& row : schema.fields) {
      if ((seen & (uint64_t{1} << row.number)) != 0) continue;
      Require(!IsSet(message, *descriptor.FindFieldByNumber(row.number)),
              "a field that was absent is not set");
    }
  }

  void CompareField(const ordered_json& value, const FieldSchema& row, const FieldDescriptor& field,
                    const Message& message, const std::string& path) {
    if (value.is_null()) {
      Require(nulls_ < participant_.null_fields().paths_size() &&
                  participant_.null_fields().paths(nulls_) == path,
              "a null field is named");
      ++nulls_;
      Require(!IsSet(message, field), "a field that was null is not set");
    } else if (row.object != nullptr && value.is_object()) {
      Require(IsSet(message, field), "a field that was an object is set");
      CompareObject(value, *row.object, message.GetReflection()->GetMessage(message, &field), path);
    } else if (IsSet(message, field)) {
      CompareValue(value, field, message);
    } else if (field.is_repeated() && value.is_structured() && value.empty() &&
               value.is_object() == field.is_map()) {
      Require(empties_ < participant_.empty_fields().paths_size() &&
                  participant_.empty_fields().paths(empties_) == path,
              "an empty field is named");
      ++empties_;
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM && value.is_string()) {
      CompareUnrecognized(value, v1::UnrecognizedValue::KIND_UNKNOWN_ENUM_VALUE);
    } else {
      CompareUnrecognized(value, v1::UnrecognizedValue::KIND_WRONG_TYPE);
    }
  }

  // A field that is set has a value of its type, and the same value if it is stored unchanged.
  static void CompareValue(const ordered_json& value, const FieldDescriptor& field,
                           const Message& message) {
    const auto& reflection = *message.GetReflection();
    if (field.is_map()) {
      Require(value.is_object() &&
                  value.size() == static_cast<size_t>(reflection.FieldSize(message, &field)),
              "a map has as many entries as the object");
      return;
    }
    if (field.is_repeated()) {
      Require(value.is_array() &&
                  value.size() == static_cast<size_t>(reflection.FieldSize(message, &field)),
              "a repeated field has as many elements as the array");
      for (size_t i = 0; i < value.size(); ++i) {
        Require(value[i] == reflection.GetRepeatedString(message, &field, static_cast<int>(i)),
                "an element is unchanged");
      }
      return;
    }
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        Require(value == reflection.GetString(message, &field), "a string is unchanged");
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        Require(value == reflection.GetBool(message, &field), "a boolean is unchanged");
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        Require(value == reflection.GetInt64(message, &field), "an integer is unchanged");
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        Require(value == reflection.GetDouble(message, &field), "a number is unchanged");
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        Require(value.is_string() && reflection.GetEnumValue(message, &field) != 0,
                "an enum's value was text");
        break;
      default:
        Require(value.is_string() || value.is_number(), "a time was text or a number");
        break;
    }
  }

  void CompareUnrecognized(const ordered_json& value, v1::UnrecognizedValue::Kind kind) {
    Require(unrecognized_ < participant_.unrecognized_size(),
            "every value without a field is reported as unrecognized");
    const auto& unrecognized = participant_.unrecognized(unrecognized_++);
    Require(unrecognized.kind() == kind, "an unrecognized value has the right kind");
    Require(!unrecognized.path().empty(), "an unrecognized value has a path");
    Require(ordered_json::parse(unrecognized.json(), nullptr, false) == value,
            "an unrecognized value is unchanged");
  }

  static bool IsSet(const Message& message, const FieldDescriptor& field) {
    const auto& reflection = *message.GetReflection();
    return field.is_repeated() ? reflection.FieldSize(message, &field) > 0
                               : reflection.HasField(message, &field);
  }

  const v1::Participant& participant_;
  int nulls_ = 0;
  int empties_ = 0;
  int unrecognized_ = 0;
};

void Fuzz(absl::string_view input) {
  if (input.empty()) return;
  const auto choice = static_cast<uint8_t>(input[0]);
  const bool strict = (choice & 4) != 0;
  const absl::string_view json = input.substr(1);
  const RecordSchema& schema = SchemaOf(choice);

  v1::Participant participant;
  const absl::Status status = Decode(schema, strict, json, participant);
  v1::Participant again;
  Require(again.ParseFromString(participant.SerializeAsString()) &&
              MessageDifferencer::Equals(again, participant),
          "the decoded bytes can be parsed");

  if (ReasonOf(status) == v1::ERROR_REASON_UPSTREAM_UNRECOGNIZED_VALUE) {
    Require(strict && participant.unrecognized_size() > 0,
            "a strict upstream fails only because of unrecognized values");
    return;
  }
  // The other parser skips a byte order mark, and takes a zero byte for the end.
  if (absl::StartsWith(json, "\xEF\xBB\xBF") || absl::StrContains(json, '\0')) return;
  ordered_json document;
  const Reading reading = Parse(json, document);
  if (reading == Reading::kUnknown) return;
  Require(status.ok(), "only a strict upstream fails");
  Require(participant.record_case() == schema.record, "a participant's record is set");
  if (reading == Reading::kMalformed || !document.is_object()) {
    Require(participant.unrecognized_size() > 0, "what is not JSON is unrecognized");
    return;
  }
  if (participant.unrecognized_size() == 1 &&
      participant.unrecognized(0).kind() == v1::UnrecognizedValue::KIND_TOO_MANY_VALUES) {
    Require(participant.unrecognized(0).json() == json, "nothing is lost");
    return;
  }
  const auto* const record = v1::Participant::descriptor()->FindFieldByNumber(schema.record);
  Comparison(participant)
      .CompareRecord(document, schema.object,
                     participant.GetReflection()->GetMessage(participant, record));
}

}  // namespace
}  // namespace rollcall::service

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rollcall::service::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
