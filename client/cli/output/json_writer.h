#pragma once

#include "client/cli/output/participant_writer.h"

namespace rollcall {

// JSON for programs: the `rollcall.v1.Participant` in protobuf's JSON form with the API's own field
// names, nothing left out. Where a value names fields (`null_fields`, `empty_fields`), that form
// has lowerCamelCase: "callType,metrics.inbound.mos". JSON's escapes keep control characters out.
class JsonWriter : public ParticipantWriter {
 public:
  enum class Form {
    // One object a line, each of use by itself (NDJSON).
    kLines,
    // One array of them. That of a list that is not complete has no end, so that nobody takes it
    // for one.
    kArray,
    // One object over several lines, for a single participant.
    kIndented,
  };

  // With `resume_tokens`, an object is the whole `ListParticipantsResponse`: the participant and
  // its resume token.
  JsonWriter(Form form, bool resume_tokens) : form_(form), resume_tokens_(resume_tokens) {}

  std::string Header() const override { return form_ == Form::kArray ? "[\n" : ""; }
  absl::StatusOr<std::string> Row(const v1::ListParticipantsResponse& response) const override;
  std::string Separator() const override { return form_ == Form::kArray ? "," : ""; }
  std::string Footer() const override { return form_ == Form::kArray ? "]\n" : ""; }

 private:
  const Form form_;
  const bool resume_tokens_;
};

}  // namespace rollcall
