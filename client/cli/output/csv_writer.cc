#include "client/cli/output/csv_writer.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/cli/terminal_text.h"

namespace rollcall {
namespace {

constexpr absl::string_view kEndOfLine = "\r\n";

std::string QuotedField(const std::string& value) {
  std::string escaped = EscapeForTerminal(value);
  if (escaped.find_first_of(",\"") == std::string::npos) return escaped;
  return absl::StrCat("\"", absl::StrReplaceAll(escaped, {{"\"", "\"\""}}), "\"");
}

}  // namespace

std::string CsvWriter::Header() const {
  return absl::StrCat(absl::StrJoin(columns_, ",",
                                    [](std::string* line, const RecordField& column) {
                                      line->append(column.path());
                                    }),
                      kEndOfLine);
}

absl::StatusOr<std::string> CsvWriter::Row(const v1::ListParticipantsResponse& response) const {
  const google::protobuf::Message& record = *TypedRecord(response.participant());
  return absl::StrCat(absl::StrJoin(columns_, ",",
                                    [&record](std::string* line, const RecordField& column) {
                                      line->append(QuotedField(column.Text(record).value_or("")));
                                    }),
                      kEndOfLine);
}

}  // namespace rollcall
