#pragma once

#include "client/cli/output/participant_writer.h"

namespace rollcall {

// JSON for programs: `rollcall.v1.Participant` in protobuf's JSON form, with the API's own field
// names and nothing left out. Where a value names fields (`null_fields`, `empty_fields`), that form
// uses lowerCamelCase: "callType,metrics.inbound.mos". Control characters and invisible characters
// that change the direction of text are written as JSON escapes.
class JsonWriter : public ParticipantWriter {
 public:
  enum class Form {
    // One object per line (NDJSON).
    kLines,
    // One array of objects. If the list is incomplete, the array is not closed, so that parsers
    // refuse it.
    kArray,
    // One object on several lines, for a single participant.
    kIndented,
  };

  // With `resume_tokens`, each object is a `ListParticipantsResponse`: the participant and its
  // resume token.
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
