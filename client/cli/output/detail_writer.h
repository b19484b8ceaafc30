#pragma once

#include <vector>

#include "client/cli/output/participant_writer.h"
#include "client/cli/record_field.h"

namespace rollcall {

// What a table is for a list, for a single participant: a line for each field. Shows "null" where
// the provider said null, and at the end what the provider said beside the record. Nothing is cut.
class DetailWriter : public ParticipantWriter {
 public:
  // Without `show_absent`, fields that the provider did not send are left out; with it they are
  // "-".
  DetailWriter(std::vector<RecordField> fields, bool show_absent);

  std::string Header() const override { return ""; }
  absl::StatusOr<std::string> Row(const v1::ListParticipantsResponse& response) const override;

 private:
  const std::vector<RecordField> fields_;
  const bool show_absent_;
};

}  // namespace rollcall
