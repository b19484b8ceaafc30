// The fields of a record that a caller asked for: a google.protobuf.FieldMask, checked against a
// provider's tables and made quick to ask. Made from the request, then used by the record decoder;
// constant.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/field_mask.pb.h"
#include "service/record/record_schema.h"

namespace rollcall {

class FieldSelection {
 public:
  // All fields.
  FieldSelection() = default;

  // The fields that `mask` names, by the message's names from the record on; all where it is empty.
  // Every path that names none is reported in `unknown_paths`.
  static FieldSelection FromMask(const google::protobuf::FieldMask& mask,
                                 const ObjectSchema& schema,
                                 std::vector<std::string>& unknown_paths);

  bool Includes(const FieldSchema& field) const { return ((numbers_ >> field.number) & 1) != 0; }

  // Takes the fields away that are personal data, and the text of what is not recognized: a field
  // that nobody knows, or in another form than expected, may be such as well.
  void LeaveOutPersonalData(const ObjectSchema& schema);
  bool has_unrecognized_text() const { return has_unrecognized_text_; }

  // The selection within a field that is an object and included.
  const FieldSelection& Within(const FieldSchema& field) const;

  // Whether no fields were named, so that those that nobody knows are wanted as well.
  bool includes_all() const { return includes_all_; }

 private:
  bool Add(absl::string_view path, const ObjectSchema& schema);

  bool includes_all_ = true;
  bool has_unrecognized_text_ = true;
  uint64_t numbers_ = ~uint64_t{0};  // a bit a field number
  // By field number, for objects of which only a part is selected.
  std::vector<std::pair<int, FieldSelection>> parts_;
};

// Whether a path from the record on names a field that is personal data, or a part of one.
bool NamesPersonalData(absl::string_view path, const ObjectSchema& schema);

}  // namespace rollcall
