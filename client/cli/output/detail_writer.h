#pragma once

#include <vector>

#include "client/cli/output/participant_writer.h"
#include "client/cli/record_field.h"

namespace rollcall {

// A single participant for people: one line per field. Shows "null" for fields that the provider
// sent as null, and unrecognized values at the end. Nothing is cut.
class DetailWriter : public ParticipantWriter {
 public:
  // Fields that the provider did not send are "-" with `show_absent`, and omitted without it.
  DetailWriter(std::vector<RecordField> fields, bool show_absent);

  std::string Header() const override { return ""; }
  absl::StatusOr<std::string> Row(const v1::ListParticipantsResponse& response) const override;

 private:
  const std::vector<RecordField> fields_;
  const bool show_absent_;
};

}  // namespace rollcall
