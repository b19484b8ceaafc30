#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/cli/output/participant_writer.h"
#include "client/cli/record_field.h"

namespace rollcall {

// A table for people, a row a participant. Rows are written as they arrive, so a column's width
// comes from its field's type and not from its values. A value that is longer pushes the rest of
// its row to the right only as far as it must: the next columns give up their padding first. On a
// terminal, nothing wraps: free text is cut to its column, and a row to the terminal's width.
// Elsewhere nothing is cut.
class TableWriter : public ParticipantWriter {
 public:
  // `terminal_width` is not set where the table does not go to a terminal.
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

// The fields of `record` to show where none are asked for: most telling first, those left out that
// do not fit into `terminal_width`, where it is set.
std::vector<RecordField> DefaultTableColumns(const google::protobuf::Descriptor* record,
                                             std::optional<int> terminal_width);

}  // namespace rollcall
