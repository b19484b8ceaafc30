#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rollcall/v1/participant.pb.h"

namespace rollcall {

// A field of a typed record, named by its path ("call_sid", "metrics.inbound.mos"), and its value
// as text. Immutable. Timestamps, durations, lists and maps are single fields: no paths lead into
// them.
class RecordField {
 public:
  // Returns INVALID_ARGUMENT, with a message for the user, if `record` has no such field.
  static absl::StatusOr<RecordField> Parse(const google::protobuf::Descriptor* record,
                                           absl::string_view path);

  const std::string& path() const { return path_; }

  // The field at the path's end.
  const google::protobuf::FieldDescriptor* descriptor() const { return fields_.back(); }

  // The field's value, not escaped: timestamps as RFC 3339, durations as "65s", enum values
  // by their names in the API, as in JSON, lists joined by ";", messages and maps as JSON. Not set
  // if the field is not set, or if `record` is another type of message.
  std::optional<std::string> Text(const google::protobuf::Message& record) const;

 private:
  friend std::vector<RecordField> AllFields(const google::protobuf::Descriptor* record);

  RecordField(std::string path, std::vector<const google::protobuf::FieldDescriptor*> fields)
      : path_(std::move(path)), fields_(std::move(fields)) {}

  std::string path_;
  std::vector<const google::protobuf::FieldDescriptor*>
      fields_;  // From the record to the field. Never empty.
};

// All fields of `record` that have no subfields, in the order of the API.
std::vector<RecordField> AllFields(const google::protobuf::Descriptor* record);

// The typed record in `participant`, or null if it has none.
const google::protobuf::Message* TypedRecord(const v1::Participant& participant);

}  // namespace rollcall
