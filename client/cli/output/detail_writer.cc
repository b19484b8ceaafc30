#include "client/cli/output/detail_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/terminal_text.h"

namespace rollcall {
namespace {

// The path in `mask` that is `path` or a message that contains it. Empty if there is none.
std::string NameIn(const google::protobuf::FieldMask& mask, absl::string_view path) {
  for (const std::string& named : mask.paths()) {
    if (path == named || absl::StartsWith(path, absl::StrCat(named, "."))) return named;
  }
  return "";
}

}  // namespace

DetailWriter::DetailWriter(std::vector<RecordField> fields, bool show_absent)
    : fields_(std::move(fields)), show_absent_(show_absent) {}

absl::StatusOr<std::string> DetailWriter::Row(const v1::ListParticipantsResponse& response) const {
  const v1::Participant& participant = response.participant();
  const google::protobuf::Message& record = *TypedRecord(participant);
  std::vector<std::pair<std::string, std::string>> lines;
  for (const RecordField& field : fields_) {
    if (const std::optional<std::string> text = field.Text(record); text.has_value()) {
      lines.emplace_back(field.path(), text->empty() ? "\"\"" : EscapeForTerminal(*text));
    } else if (const std::string null = NameIn(participant.null_fields(), field.path());
               !null.empty()) {
      // One line for a null message, not one for each of its fields.
      if (lines.empty() || lines.back().first != null) lines.emplace_back(null, "null");
    } else if (!NameIn(participant.empty_fields(), field.path()).empty()) {
      lines.emplace_back(field.path(), field.descriptor()->is_map() ? "{}" : "[]");
    } else if (show_absent_) {
      lines.emplace_back(field.path(), "-");
    }
  }
  size_t width = 0;
  for (const auto& [path, value] : lines) width = std::max(width, path.size());
  std::string text;
  for (const auto& [path, value] : lines) {
    absl::StrAppend(&text, path, std::string(width + 2 - path.size(), ' '), value, "\n");
  }
  for (const v1::UnrecognizedValue& value : participant.unrecognized()) {
    absl::StrAppend(&text, "unrecognized: ", EscapeForTerminal(value.path()), " = ",
                    EscapeForTerminal(value.json()), "\n");
  }
  return text;
}

}  // namespace rollcall
