#include "client/cli/output/table_writer.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/terminal_text.h"

namespace rollcall {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Duration;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Timestamp;

constexpr int kGap = 2;

bool IsDuration(const FieldDescriptor& field) {
  return field.message_type() == Duration::descriptor();
}

bool IsNumber(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
    case FieldDescriptor::CPPTYPE_ENUM:
    case FieldDescriptor::CPPTYPE_STRING:
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return false;
    default:
      return true;
  }
}

bool IsSid(const FieldDescriptor& field) {
  return absl::StrContains(field.name(), "_sid") && !field.is_repeated();
}

bool IsUrl(const FieldDescriptor& field) {
  return absl::EndsWith(field.name(), "url") || absl::EndsWith(field.name(), "uri");
}

int LongestName(const EnumDescriptor& type) {
  size_t longest = 0;
  for (int i = 1; i < type.value_count(); ++i) {  // The first value is UNSPECIFIED.
    longest = std::max(longest, type.value(i)->name().size());
  }
  return static_cast<int>(longest);
}

// The columns that values of the field usually take.
int UsualWidth(const FieldDescriptor& field) {
  if (field.is_repeated()) return 24;
  if (field.message_type() == Timestamp::descriptor()) return 27;  // With microseconds.
  if (IsDuration(field) || IsNumber(field)) return 8;
  if (field.message_type() != nullptr) return 24;
  if (field.enum_type() != nullptr) return LongestName(*field.enum_type());
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL) return 5;
  if (IsSid(field)) return 36;  // A UUID; Twilio's sids take 34.
  return 16;
}

std::string Title(const RecordField& field) { return absl::AsciiStrToUpper(field.path()); }

int ColumnWidth(const RecordField& field) {
  return std::max(UsualWidth(*field.descriptor()), static_cast<int>(Title(field).size()));
}

// Whether a value is still useful when it is cut. Sids and URLs are not.
bool IsFreeText(const FieldDescriptor& field) {
  if (field.is_repeated()) return true;
  if (field.message_type() != nullptr) {
    return field.message_type() != Timestamp::descriptor() && !IsDuration(field);
  }
  return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING && !IsSid(field) && !IsUrl(field);
}

absl::string_view DefaultPaths(const Descriptor* record) {
  if (record == v1::ConferenceParticipantSummary::descriptor()) {
    return "participant_sid,label,call_status,join_time,duration,call_type,is_coach,country_code,"
           "processing_state";
  }
  if (record == v1::RoomParticipantSummary::descriptor()) {
    return "participant_sid,participant_identity,status,join_time,duration,error_code,end_reason,"
           "edge_location";
  }
  return "call_sid,label,status,muted,hold,coaching,date_created,call_sid_to_coach";
}

}  // namespace

TableWriter::TableWriter(const std::vector<RecordField>& columns, std::optional<int> terminal_width)
    : terminal_width_(terminal_width) {
  for (const RecordField& field : columns) {
    const FieldDescriptor& descriptor = *field.descriptor();
    columns_.push_back(
        {field, ColumnWidth(field),
         !descriptor.is_repeated() && (IsNumber(descriptor) || IsDuration(descriptor)),
         IsFreeText(descriptor)});
  }
}

std::string TableWriter::Header() const {
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(Title(column.field));
  return Line(titles);
}

absl::StatusOr<std::string> TableWriter::Row(const v1::ListParticipantsResponse& response) const {
  const google::protobuf::Message& record = *TypedRecord(response.participant());
  std::vector<std::string> cells;
  for (const Column& column : columns_) {
    const std::optional<std::string> text = column.field.Text(record);
    if (!text.has_value()) {
      cells.push_back("-");
    } else if (text->empty()) {
      cells.push_back("\"\"");
    } else {
      cells.push_back(EscapeForTerminal(*text));
      if (terminal_width_.has_value() && column.free_text) {
        cells.back() = CutToWidth(cells.back(), column.width);
      }
    }
  }
  return Line(cells);
}

std::string TableWriter::Line(const std::vector<std::string>& cells) const {
  std::string line;
  int line_width = 0;
  int column_end = 0;  // The end of the column in a row without long values.
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    const int column_start = i == 0 ? 0 : column_end + kGap;
    column_end = column_start + column.width;
    const int cell_width = DisplayWidth(cells[i]);
    const int wanted = column.align_right ? column_end - cell_width : column_start;
    const int start = i == 0 ? std::max(wanted, 0) : std::max(wanted, line_width + kGap);
    if (terminal_width_.has_value() && start + cell_width > *terminal_width_) {
      if (start < *terminal_width_) {
        line.append(static_cast<size_t>(start - line_width), ' ');
        line += CutToWidth(cells[i], *terminal_width_ - start);
      }
      break;
    }
    line.append(static_cast<size_t>(start - line_width), ' ');
    line += cells[i];
    line_width = start + cell_width;
  }
  line += '\n';
  return line;
}

std::vector<RecordField> DefaultTableColumns(const Descriptor* record,
                                             std::optional<int> terminal_width) {
  std::vector<RecordField> columns;
  int line_width = 0;
  for (absl::string_view path : absl::StrSplit(DefaultPaths(record), ',')) {
    const RecordField column = RecordField::Parse(record, path).value();
    const int with_column =
        columns.empty() ? ColumnWidth(column) : line_width + kGap + ColumnWidth(column);
    if (terminal_width.has_value() && !columns.empty() && with_column > *terminal_width) continue;
    columns.push_back(column);
    line_width = with_column;
  }
  return columns;
}

}  // namespace rollcall
