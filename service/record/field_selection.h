// The fields of a record that a caller requested: a google.protobuf.FieldMask, validated against
// the record schema and compiled into bitmaps for fast lookup. Constant once decoding starts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/field_mask.pb.h"
#include "service/record/record_schema.h"

namespace rollcall::service {

class FieldSelection {
 public:
  // Selects all fields.
  FieldSelection() = default;

  // Selects the fields that `mask` names, or all fields if it is empty or has the path "*"
  // (AIP-157). Other paths use the message's field names and start at the record. Those that match
  // no field are appended to `unknown_paths`.
  static FieldSelection FromMask(const google::protobuf::FieldMask& mask,
                                 const ObjectSchema& schema,
                                 std::vector<std::string>& unknown_paths);

  bool Includes(const FieldSchema& field) const { return ((numbers_ >> field.number) & 1) != 0; }

  // Deselects the fields that are personal data. Also removes the text of unrecognized values,
  // because an unknown or malformed field may be personal data too.
  void LeaveOutPersonalData(const ObjectSchema& schema);
  bool has_unrecognized_text() const { return has_unrecognized_text_; }

  // The selection inside `field`, which must be an included object.
  const FieldSelection& Within(const FieldSchema& field) const;

  // True if the mask was empty or had the path "*". Unknown fields are then delivered as well.
  bool includes_all() const { return includes_all_; }

 private:
  bool Add(absl::string_view path, const ObjectSchema& schema);

  bool includes_all_ = true;
  bool has_unrecognized_text_ = true;
  uint64_t numbers_ = ~uint64_t{0};  // one bit per field number
  // Partly selected objects, by field number.
  std::vector<std::pair<int, FieldSelection>> parts_;
};

// Whether `path`, which starts at the record, names a personal data field or a part of one.
bool NamesPersonalData(absl::string_view path, const ObjectSchema& schema);

}  // namespace rollcall::service
