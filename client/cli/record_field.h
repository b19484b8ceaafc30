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

// A field of a typed record, named by its path ("call_sid", "metrics.inbound.mos"), and how it
// reads as text: the columns of tables and CSV. Made while the command line is read, used by the
// writers, on the main thread; immutable.
//
// Times, lengths of time, lists and maps are single fields: there are no paths into them.
class RecordField {
 public:
  // INVALID_ARGUMENT, in words for the person at the command line, where `record` has no such
  // field.
  static absl::StatusOr<RecordField> Parse(const google::protobuf::Descriptor* record,
                                           absl::string_view path);

  const std::string& path() const { return path_; }

  // The field at the path's end.
  const google::protobuf::FieldDescriptor* descriptor() const { return fields_.back(); }

  // The field's value: times as RFC 3339, lengths of time as "65s", enum values in lower case
  // without their prefix, lists joined by ";", messages and maps as JSON. Not escaped. Not set
  // where the field is not set, or `record` is another message than the field belongs to.
  std::optional<std::string> Text(const google::protobuf::Message& record) const;

 private:
  friend std::vector<RecordField> AllFields(const google::protobuf::Descriptor* record);

  RecordField(std::string path, std::vector<const google::protobuf::FieldDescriptor*> fields)
      : path_(std::move(path)), fields_(std::move(fields)) {}

  std::string path_;
  std::vector<const google::protobuf::FieldDescriptor*>
      fields_;  // From the record on. Never empty.
};

// All fields of `record` that have no fields of their own, in the order of the API.
std::vector<RecordField> AllFields(const google::protobuf::Descriptor* record);

// The typed record in `participant`, or null where it has none.
const google::protobuf::Message* TypedRecord(const v1::Participant& participant);

// The name of an enum value as people write it: "completed" for CALL_STATUS_COMPLETED.
std::string EnumText(const google::protobuf::EnumValueDescriptor& value);

}  // namespace rollcall
