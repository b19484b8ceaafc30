#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/cli/output/participant_writer.h"
#include "client/cli/record_field.h"

namespace rollcall {

// A table for people, one row per participant. Rows are written as participants arrive, so column
// widths follow from field types, not from values. A longer value moves the rest of its row to the
// right by as little as possible: the padding of the next columns is used up first. On a terminal,
// free text is cut to its column and rows to the terminal's width, so that nothing wraps; otherwise
// nothing is cut.
class TableWriter : public ParticipantWriter {
 public:
  // `terminal_width` is not set if the table does not go to a terminal.
  TableWriter(const std::vector<RecordField>& columns, std::optional<int> terminal_width);

  std::string Header() const override;
  absl::StatusOr<std::string> Row(const v1::ListParticipantsResponse& response) const override;

 private:
  struct Column {
    RecordField field;
    int width = 0;
    bool align_right = false;
    bool free_text = false;
  };

  std::string Line(const std::vector<std::string>& cells) const;

  std::vector<Column> columns_;
  const std::optional<int> terminal_width_;
};

// The fields of `record` to show by default, most important first, without those that do not fit
// into `terminal_width` if it is set.
std::vector<RecordField> DefaultTableColumns(const google::protobuf::Descriptor* record,
                                             std::optional<int> terminal_width);

}  // namespace rollcall
