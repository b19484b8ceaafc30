#pragma once

#include "client/cli/output/participant_writer.h"

namespace rollcall {

// One JSON object a line, for programs: the `rollcall.v1.Participant` in protobuf's JSON form,
// nothing left out, but with the API's own field names, also in `null_fields` and `empty_fields`:
// "call_type,metrics.inbound.mos". They are what `--fields` takes. A strict parser of the JSON form
// wants lowerCamelCase in these two. JSON's escapes keep control characters out.
class NdjsonWriter : public ParticipantWriter {
 public:
  // With `resume_tokens`, a line is the whole `ListParticipantsResponse`: the participant and its
  // resume token.
  explicit NdjsonWriter(bool resume_tokens) : resume_tokens_(resume_tokens) {}

  std::string Header() const override { return ""; }
  absl::StatusOr<std::string> Row(const v1::ListParticipantsResponse& response) const override;

 private:
  const bool resume_tokens_;
};

}  // namespace rollcall
