#pragma once

#include <vector>

#include "client/cli/output/participant_writer.h"
#include "client/cli/record_field.h"

namespace rollcall {

// CSV as RFC 4180 has it, for spreadsheets: a header of field paths, then one line a participant. A
// field that is not set is empty. Control characters and line breaks in values are escaped, so that
// a line is always one participant and the file can be shown on a terminal; who needs values byte
// for byte takes NDJSON.
class CsvWriter : public ParticipantWriter {
 public:
  explicit CsvWriter(std::vector<RecordField> columns) : columns_(std::move(columns)) {}

  std::string Header() const override;
  absl::StatusOr<std::string> Row(const v1::ListParticipantsResponse& response) const override;

 private:
  const std::vector<RecordField> columns_;
};

}  // namespace rollcall
