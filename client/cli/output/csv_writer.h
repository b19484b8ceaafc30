#pragma once

#include <vector>

#include "client/cli/output/participant_writer.h"
#include "client/cli/record_field.h"

namespace rollcall {

// CSV (RFC 4180) for spreadsheets: a header of field paths, then one line per participant. A field
// that is not set is empty. Control characters and line breaks in values are escaped, so that each
// line is one participant and the file is safe to show on a terminal; NDJSON keeps exact values.
class CsvWriter : public ParticipantWriter {
 public:
  explicit CsvWriter(std::vector<RecordField> columns) : columns_(std::move(columns)) {}

  std::string Header() const override;
  absl::StatusOr<std::string> Row(const v1::ListParticipantsResponse& response) const override;

 private:
  const std::vector<RecordField> columns_;
};

}  // namespace rollcall
