#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "rollcall/v1/participant_service.pb.h"

namespace rollcall {

// Formats participants as text of one output format. Main thread.
class ParticipantWriter {
 public:
  virtual ~ParticipantWriter() = default;

  // Text before the first participant. If a complete list is empty, it is written alone.
  virtual std::string Header() const = 0;

  // One participant, whose record must be set, including the final newline. Returns an error if the
  // format cannot express what the service sent.
  virtual absl::StatusOr<std::string> Row(const v1::ListParticipantsResponse& response) const = 0;

  // Text before each participant except the first, and after the last one of a complete list.
  virtual std::string Separator() const { return ""; }
  virtual std::string Footer() const { return ""; }
};

}  // namespace rollcall
