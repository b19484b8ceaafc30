#include "service/record/field_selection.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_split.h"

namespace rollcall::service {
namespace {

bool HoldsPersonalData(const ObjectSchema& schema) {
  return std::any_of(schema.fields.begin(), schema.fields.end(), [](const FieldSchema& row) {
    return row.is_personal || (row.object != nullptr && HoldsPersonalData(*row.object));
  });
}

// nullptr if the schema has no such field.
const FieldSchema* FindRow(absl::string_view name, const ObjectSchema& schema) {
  const auto row = std::find_if(schema.fields.begin(), schema.fields.end(),
                                [&](const FieldSchema& field) { return field.proto == name; });
  return row == schema.fields.end() ? nullptr : &*row;
}

}  // namespace

bool NamesPersonalData(absl::string_view path, const ObjectSchema& schema) {
  const std::pair<absl::string_view, absl::string_view> split =
      absl::StrSplit(path, absl::MaxSplits('.', 1));
  const FieldSchema* const row = FindRow(split.first, schema);
  if (row == nullptr) return false;
  return row->is_personal ||
         (row->object != nullptr && NamesPersonalData(split.second, *row->object));
}

FieldSelection FieldSelection::FromMask(const google::protobuf::FieldMask& mask,
                                        const ObjectSchema& schema,
                                        std::vector<std::string>& unknown_paths) {
  bool all = mask.paths().empty();
  FieldSelection selection;
  selection.numbers_ = 0;
  selection.includes_all_ = false;
  for (const std::string& path : mask.paths()) {
    if (path == "*") {
      all = true;
    } else if (!selection.Add(path, schema)) {
      unknown_paths.push_back(path);
    }
  }
  return all ? FieldSelection() : selection;
}

// False if the path matches no field.
bool FieldSelection::Add(absl::string_view path, const ObjectSchema& schema) {
  const std::pair<absl::string_view, absl::string_view> split =
      absl::StrSplit(path, absl::MaxSplits('.', 1));
  // No structured binding here: before version 16, clang cannot capture one in a lambda.
  const absl::string_view name = split.first;
  const absl::string_view rest = split.second;
  const FieldSchema* const field = FindRow(name, schema);
  if (field == nullptr) return false;
  const bool whole = name.size() == path.size();
  if (!whole && field->object == nullptr) return false;

  const int number = field->number;
  const auto part = std::find_if(parts_.begin(), parts_.end(),
                                 [&](const auto& entry) { return entry.first == number; });
  if (whole) {
    if (part != parts_.end()) parts_.erase(part);
    numbers_ |= uint64_t{1} << number;
    return true;
  }
  const bool whole_already = Includes(*field) && part == parts_.end();
  if (whole_already) return FieldSelection().Add(rest, *field->object);
  if (part != parts_.end()) return part->second.Add(rest, *field->object);

  FieldSelection within;
  within.numbers_ = 0;
  within.includes_all_ = false;
  if (!within.Add(rest, *field->object)) return false;
  parts_.emplace_back(number, std::move(within));
  numbers_ |= uint64_t{1} << number;
  return true;
}

void FieldSelection::LeaveOutPersonalData(const ObjectSchema& schema) {
  has_unrecognized_text_ = false;
  for (const FieldSchema& field : schema.fields) {
    if (!Includes(field)) continue;
    if (field.is_personal) {
      numbers_ &= ~(uint64_t{1} << field.number);
    } else if (field.object != nullptr && HoldsPersonalData(*field.object)) {
      const int number = field.number;
      auto part = std::find_if(parts_.begin(), parts_.end(),
                               [&](const auto& entry) { return entry.first == number; });
      if (part == parts_.end()) part = parts_.emplace(part, number, FieldSelection());
      part->second.LeaveOutPersonalData(*field.object);
    }
  }
}

const FieldSelection& FieldSelection::Within(const FieldSchema& field) const {
  static const FieldSelection kAll;
  for (const auto& [number, selection] : parts_) {
    if (number == field.number) return selection;
  }
  return kAll;
}

}  // namespace rollcall::service
