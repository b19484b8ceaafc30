#include "service/record/record_decoder.h"

#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/field_mask.pb.h"
#include "service/error/error.h"
#include "service/record/json_text.h"

namespace rollcall::service {
namespace {

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

template <class Integer>
bool SameBytes(const char* a, const char* b) {
  Integer of_a;
  Integer of_b;
  std::memcpy(&of_a, a, sizeof of_a);
  std::memcpy(&of_b, b, sizeof of_b);
  return of_a == of_b;
}

// Optimized for short names that are equal, the usual case.
bool SameName(absl::string_view a, std::string_view b) {
  const size_t size = a.size();
  if (size != b.size()) return false;
  if (size >= 8) {
    for (size_t i = 0; i < size - 8; i += 8) {
      if (!SameBytes<uint64_t>(a.data() + i, b.data() + i)) return false;
    }
    // The last eight bytes overlap those compared above.
    return SameBytes<uint64_t>(a.data() + size - 8, b.data() + size - 8);
  }
  if (size >= 4) {
    return SameBytes<uint32_t>(a.data(), b.data()) &&
           SameBytes<uint32_t>(a.data() + size - 4, b.data() + size - 4);
  }
  for (size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

// Providers usually write an object's members in the same order, so the search starts at the row
// after the last one found.
const FieldSchema* Find(const ObjectSchema& schema, std::string_view name, size_t& next) {
  const size_t count = schema.fields.size();
  for (size_t tried = 0; tried < count; ++tried) {
    const size_t index = next < count ? next : 0;
    next = index + 1;
    if (SameName(schema.fields[index].name, name)) return &schema.fields[index];
  }
  return nullptr;
}

// FNV-1a, 64 bits. It must never change: see identity().
uint64_t Hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

bool IsPlainName(absl::string_view name) {
  for (const char c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '_') return false;
  }
  return !name.empty();
}

// After a record larger than this, Begin() frees the memory of its parts.
constexpr size_t kUsualRecordBytes = size_t{32} << 10;

}  // namespace

DecoderScratch::DecoderScratch() : parts_(std::make_unique<Parts>()) {}

void DecoderScratch::Begin(size_t json_bytes) {
  // Reconstruct rather than assign: a string keeps its memory on assignment.
  if (parts_->json_bytes > kUsualRecordBytes) parts_ = std::make_unique<Parts>();
  parts_->json_bytes = json_bytes;
  parts_->participant.Truncate(0);
  parts_->null_paths.Truncate(0);
  parts_->empty_paths.Truncate(0);
  parts_->unrecognized.Clear();
}

RecordDecoder::RecordDecoder(DecoderScratch& scratch, const RecordSchema& schema,
                             FieldSelection selection, bool strict, RequestedIds requested_ids)
    : scratch_(scratch),
      schema_(schema),
      selection_(std::move(selection)),
      strict_(strict),
      requested_ids_(std::move(requested_ids)) {}

absl::string_view RecordDecoder::bytes() const { return scratch_.parts_->participant.bytes(); }

v1::Participant::RecordCase RecordDecoder::record() const {
  return bytes().empty() ? v1::Participant::RECORD_NOT_SET : schema_.record;
}

const RecordDecoder::UnrecognizedValues& RecordDecoder::unrecognized() const {
  return scratch_.parts_->unrecognized;
}

absl::Status RecordDecoder::Decode(absl::string_view json) {
  scratch_.Begin(json.size());
  json_ = json;
  path_.clear();
  readers_.clear();
  has_requested_field_ = false;
  has_too_many_unrecognized_ = false;
  simdjson::dom::object object;
  const bool is_object = Parse(object);
  std::string_view sid;
  if (is_object) {
    if (absl::Status status = CheckIds(object); !status.ok()) return status;
    if (object.at_key(schema_.identity).get(sid) != simdjson::SUCCESS) sid = {};
  }
  identity_ = Hash(sid.empty() ? std::string_view(json.data(), json.size()) : sid);
  // Write the record even if it has no known field: its field number gives the kind of record.
  const size_t record = scratch_.parts_->participant.Open(LengthDelimitedTag(schema_.record));
  if (is_object) DecodeObject(object, schema_.object, selection_);
  scratch_.parts_->participant.Close(record);
  if (!is_object) {
    SetWholeRecordUnrecognized(v1::UnrecognizedValue::KIND_UNPARSABLE_RECORD);
  } else if (has_too_many_unrecognized_) {
    SetWholeRecordUnrecognized(v1::UnrecognizedValue::KIND_TOO_MANY_VALUES);
  }
  AppendOtherParts();
  return CheckStrict();
}

// False if the record is not a JSON object.
bool RecordDecoder::Parse(simdjson::dom::object& object) {
  simdjson::dom::parser& parser = scratch_.parser_;
  may_be_invalid_utf8_ = false;
  // No copy is needed, because the caller provides the padding.
  if (parser.parse(json_.data(), json_.size(), false).get(object) == simdjson::SUCCESS) return true;
  // One unreadable value must not hide the others. `object` refers only to the parser's memory, so
  // `replaced` may go out of scope.
  may_be_invalid_utf8_ = true;
  const std::string replaced = ReplaceUnreadableValues(json_, kPadding);
  return parser.parse(replaced.data(), replaced.size() - kPadding, false).get(object) ==
         simdjson::SUCCESS;
}

absl::Status RecordDecoder::CheckStrict() const {
  if (!strict_ || unrecognized().empty()) return absl::OkStatus();
  const v1::UnrecognizedValue& first = *unrecognized().begin();
  return MakeError(
      v1::ERROR_REASON_UPSTREAM_UNRECOGNIZED_VALUE,
      absl::StrCat(first.path().empty()
                       ? "record cannot be parsed or has too many unrecognized values"
                       : absl::StrCat("record has an unrecognized value at ", first.path()),
                   " (the upstream is strict)"));
}

absl::Status RecordDecoder::CheckIds(const simdjson::dom::object& object) {
  for (const RequestedId& requested : requested_ids_) {
    const auto value = object.at_key({requested.field.data(), requested.field.size()});
    has_requested_field_ |= value.error() == simdjson::SUCCESS;
    std::string_view id;
    if (value.get(id) == simdjson::SUCCESS && requested.IsContradictedBy(View(id))) {
      return MakeError(v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
                       absl::StrCat("the provider's response belongs to another request: its ",
                                    requested.field, " is not the requested one"));
    }
  }
  return absl::OkStatus();
}

void RecordDecoder::DecodeObject(const simdjson::dom::object& object, const ObjectSchema& schema,
                                 const FieldSelection& selection) {
  size_t next = 0;
  uint64_t seen = 0;
  size_t index = 0;
  const size_t depth = path_.size();
  path_.emplace_back();
  for (const auto member : object) {
    const FieldSchema* const field = Find(schema, member.key, next);
    path_[depth] = {member.key, field, index++};
    if (field == nullptr) {
      // A field mask cannot name an unknown field, so only an empty mask includes it.
      if (selection.includes_all()) AddUnrecognized(v1::UnrecognizedValue::KIND_UNKNOWN_FIELD);
    } else if (selection.Includes(*field)) {
      const uint64_t bit = uint64_t{1} << field->number;
      if ((seen & bit) != 0) {
        AddUnrecognized(v1::UnrecognizedValue::KIND_DUPLICATE_FIELD);
      } else {
        seen |= bit;
        DecodeField(member.value, *field, selection);
      }
    }
  }
  path_.pop_back();
  // The next object needs a reader of its own.
  if (readers_.size() > path_.size()) readers_.pop_back();
}

void RecordDecoder::DecodeField(const JsonValue& value, const FieldSchema& field,
                                const FieldSelection& selection) {
  if (value.is_null()) {
    AppendProtoPath(scratch_.parts_->null_paths);
    return;
  }
  WireWriter& message = scratch_.parts_->participant;
  if (field.object != nullptr) {
    simdjson::dom::object object;
    if (value.get(object) != simdjson::SUCCESS) {
      AddUnrecognized(v1::UnrecognizedValue::KIND_WRONG_TYPE);
      return;
    }
    const size_t nested = message.Open(field.tag);
    DecodeObject(object, *field.object, selection.Within(field));
    message.Close(nested);
    return;
  }
  const size_t before = message.size();
  const Outcome outcome = field.store(value, field, message);
  if (outcome != Outcome::kSet) message.Truncate(before);
  switch (outcome) {
    case Outcome::kSet:
      break;
    case Outcome::kEmpty:
      AppendProtoPath(scratch_.parts_->empty_paths);
      break;
    case Outcome::kWrongType:
      AddUnrecognized(v1::UnrecognizedValue::KIND_WRONG_TYPE);
      break;
    case Outcome::kUnknownValue:
      AddUnrecognized(v1::UnrecognizedValue::KIND_UNKNOWN_ENUM_VALUE);
      break;
  }
}

void RecordDecoder::AppendProtoPath(WireWriter& paths) const {
  const size_t path =
      paths.Open(LengthDelimitedTag(google::protobuf::FieldMask::kPathsFieldNumber));
  for (const Step& step : path_) {
    if (&step != &path_.front()) paths.Append(".");
    paths.Append({step.field->proto.data(), step.field->proto.size()});
  }
  paths.Close(path);
}

std::string RecordDecoder::JsonPath() const {
  std::string path;
  for (const Step& step : path_) {
    const absl::string_view name = View(step.name);
    if (IsPlainName(name)) {
      absl::StrAppend(&path, path.empty() ? "" : ".", name);
      continue;
    }
    path.append("['");
    for (const char c : name) {
      if (c == '\'' || c == '\\') path.push_back('\\');
      path.push_back(c);
    }
    path.append("']");
  }
  return path;
}

void RecordDecoder::AddUnrecognized(v1::UnrecognizedValue::Kind kind) {
  if (scratch_.parts_->unrecognized.size() == kMaxUnrecognizedValues) {
    has_too_many_unrecognized_ = true;
    return;
  }
  auto* const value = scratch_.parts_->unrecognized.Add();
  value->set_path(JsonPath());
  value->set_kind(kind);
  if (!selection_.has_unrecognized_text()) return;
  absl::string_view text = json_;
  for (size_t depth = 0; depth < path_.size(); ++depth) {
    if (depth == readers_.size()) readers_.emplace_back(text);
    text = readers_[depth].Value(path_[depth].index);
  }
  SetText(text, *value);
}

// The text may contain any field, so only a caller that may see all fields receives it.
void RecordDecoder::SetWholeRecordUnrecognized(v1::UnrecognizedValue::Kind kind) {
  scratch_.parts_->unrecognized.Clear();
  auto* const value = scratch_.parts_->unrecognized.Add();
  value->set_kind(kind);
  if (selection_.includes_all() && selection_.has_unrecognized_text()) SetText(json_, *value);
}

void RecordDecoder::SetText(absl::string_view text, v1::UnrecognizedValue& value) const {
  if (may_be_invalid_utf8_ && !simdjson::validate_utf8(text.data(), text.size())) {
    value.set_raw_json(std::string(text));
  } else {
    value.set_json(std::string(text));
  }
}

void RecordDecoder::AppendOtherParts() {
  WireWriter& participant = scratch_.parts_->participant;
  const auto append = [&](int number, absl::string_view message) {
    participant.WriteBytes(LengthDelimitedTag(number), {message.data(), message.size()});
  };
  if (!scratch_.parts_->null_paths.empty()) {
    append(v1::Participant::kNullFieldsFieldNumber, scratch_.parts_->null_paths.bytes());
  }
  if (!scratch_.parts_->empty_paths.empty()) {
    append(v1::Participant::kEmptyFieldsFieldNumber, scratch_.parts_->empty_paths.bytes());
  }
  for (const auto& value : scratch_.parts_->unrecognized) {
    append(v1::Participant::kUnrecognizedFieldNumber, value.SerializeAsString());
  }
}

}  // namespace rollcall::service
