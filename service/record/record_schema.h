// Describes how a provider's JSON objects become protobuf messages: one table a message, one row a
// field. A provider writes its tables with the row makers below; the record decoder walks them and
// the field selection is checked against them. Tables are constant and shared by all threads.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"
#include "rollcall/v1/conference_participant_summary.pb.h"
#include "rollcall/v1/participant.pb.h"
#include "service/record/json_value.h"

namespace rollcall {

struct ObjectSchema;

// What became of a JSON value that is not null.
enum class Outcome {
  kSet,           // the message's field holds it
  kEmpty,         // an empty array or object for a repeated or map field
  kWrongType,     // not of the field's type, range or format
  kUnknownValue,  // text for an enum that does not have it
};

// A row: one field of a JSON object.
struct FieldSchema {
  absl::string_view name;   // the provider's
  absl::string_view proto;  // the message's
  int number;               // the message's field number, at most 63

  // Stores a value; sets nothing unless it answers kSet. Null where `object` is set.
  Outcome (*store)(const JsonValue& value, google::protobuf::Message& message) = nullptr;

  // For a field that is an object: its table, and the message to fill.
  const ObjectSchema* object = nullptr;
  google::protobuf::Message& (*mutable_object)(google::protobuf::Message& message) = nullptr;
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
  // The typed record inside the Participant, made if need be.
  google::protobuf::Message& (*mutable_record)(v1::Participant& participant);
};

// An enum's text at the provider.
template <class E>
struct EnumText {
  std::string_view text;
  E value;
};

// The types of value. Each answers what became of `value`.
Outcome StoreString(const JsonValue& value, std::string& field);
Outcome StoreTimestamp(const JsonValue& value, google::protobuf::Timestamp& field);
Outcome StoreSeconds(const JsonValue& value, google::protobuf::Duration& field);
Outcome StoreMillisecondsText(const JsonValue& value, google::protobuf::Duration& field);
Outcome StoreStrings(const JsonValue& value,
                     google::protobuf::RepeatedPtrField<std::string>& field);
Outcome StoreEvents(const JsonValue& value,
                    google::protobuf::Map<std::string, v1::EventTimes>& field);
bool ReadInteger(const JsonValue& value, int64_t& number);
bool ReadNumber(const JsonValue& value, double& number);

// Makes the rows of the table of message M, each from the generated member functions that set the
// field, the provider's name, the field's number, and the message's name where it is another.
template <class M>
struct Rows {
  using Base = google::protobuf::Message;
  using Name = absl::string_view;

  static M& Of(Base& message) { return static_cast<M&>(message); }

  template <std::string* (M::*kMutable)()>
  static constexpr FieldSchema String(Name name, int number, Name proto = {}) {
    return Row(name, number, proto, [](const JsonValue& value, Base& message) {
      return value.is_string() ? StoreString(value, *(Of(message).*kMutable)())
                               : Outcome::kWrongType;
    });
  }

  template <void (M::*kSet)(int64_t)>
  static constexpr FieldSchema Integer(Name name, int number, Name proto = {}) {
    return Row(name, number, proto, [](const JsonValue& value, Base& message) {
      int64_t integer;
      if (!ReadInteger(value, integer)) return Outcome::kWrongType;
      (Of(message).*kSet)(integer);
      return Outcome::kSet;
    });
  }

  template <void (M::*kSet)(double)>
  static constexpr FieldSchema Number(Name name, int number, Name proto = {}) {
    return Row(name, number, proto, [](const JsonValue& value, Base& message) {
      double real;
      if (!ReadNumber(value, real)) return Outcome::kWrongType;
      (Of(message).*kSet)(real);
      return Outcome::kSet;
    });
  }

  template <void (M::*kSet)(bool)>
  static constexpr FieldSchema Boolean(Name name, int number, Name proto = {}) {
    return Row(name, number, proto, [](const JsonValue& value, Base& message) {
      bool boolean;
      if (value.get(boolean) != simdjson::SUCCESS) return Outcome::kWrongType;
      (Of(message).*kSet)(boolean);
      return Outcome::kSet;
    });
  }

  // `kTexts` is a constant array of EnumText<E>.
  template <auto kSet, const auto& kTexts>
  static constexpr FieldSchema Enum(Name name, int number, Name proto = {}) {
    return Row(name, number, proto, [](const JsonValue& value, Base& message) {
      std::string_view text;
      if (value.get(text) != simdjson::SUCCESS) return Outcome::kWrongType;
      for (const auto& known : kTexts) {
        if (known.text == text) {
          (Of(message).*kSet)(known.value);
          return Outcome::kSet;
        }
      }
      return Outcome::kUnknownValue;
    });
  }

  using StringField = google::protobuf::RepeatedPtrField<std::string>;
  template <StringField* (M::*kMutable)(), void (M::*kClear)()>
  static constexpr FieldSchema Strings(Name name, int number, Name proto = {}) {
    return Row(name, number, proto, &Store<&StoreStrings, kMutable, kClear>);
  }

  template <google::protobuf::Timestamp* (M::*kMutable)(), void (M::*kClear)()>
  static constexpr FieldSchema Time(Name name, int number, Name proto = {}) {
    return Row(name, number, proto, &Store<&StoreTimestamp, kMutable, kClear>);
  }

  template <google::protobuf::Duration* (M::*kMutable)(), void (M::*kClear)()>
  static constexpr FieldSchema Seconds(Name name, int number, Name proto = {}) {
    return Row(name, number, proto, &Store<&StoreSeconds, kMutable, kClear>);
  }

  template <google::protobuf::Duration* (M::*kMutable)(), void (M::*kClear)()>
  static constexpr FieldSchema MillisecondsText(Name name, int number, Name proto = {}) {
    return Row(name, number, proto, &Store<&StoreMillisecondsText, kMutable, kClear>);
  }

  using EventField = google::protobuf::Map<std::string, v1::EventTimes>;
  template <EventField* (M::*kMutable)(), void (M::*kClear)()>
  static constexpr FieldSchema Events(Name name, int number, Name proto = {}) {
    return Row(name, number, proto, &Store<&StoreEvents, kMutable, kClear>);
  }

  // A field that is an object with a table of its own.
  template <auto kMutable>
  static constexpr FieldSchema Object(Name name, int number, const ObjectSchema& object,
                                      Name proto = {}) {
    FieldSchema row = Row(name, number, proto, nullptr);
    row.object = &object;
    row.mutable_object = [](Base& message) -> Base& { return *(Of(message).*kMutable)(); };
    return row;
  }

 private:
  // Fills a message, a repeated field or a map; one that was not filled is left unset.
  template <auto kStore, auto kMutable, auto kClear>
  static Outcome Store(const JsonValue& value, Base& message) {
    const Outcome outcome = kStore(value, *(Of(message).*kMutable)());
    if (outcome != Outcome::kSet) (Of(message).*kClear)();
    return outcome;
  }

  static constexpr FieldSchema Row(Name name, int number, Name proto,
                                   Outcome (*store)(const JsonValue&, Base&)) {
    return {name, proto.empty() ? name : proto, number, store};
  }
};

}  // namespace rollcall
