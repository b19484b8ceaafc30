#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "rollcall/v1/participant_service.pb.h"

namespace rollcall {

// Turns participants into the text of one output format. `RunCommand` makes the one that the
// command line asks for and writes what it returns as each participant arrives, on the main thread.
class ParticipantWriter {
 public:
  virtual ~ParticipantWriter() = default;

  // What stands before the first participant, and alone where a complete list has none.
  virtual std::string Header() const = 0;

  // One participant, whose record must be set, with the newline at its end. An error where the
  // format cannot express what the service sent.
  virtual absl::StatusOr<std::string> Row(const v1::ListParticipantsResponse& response) const = 0;

  // What stands before each participant but the first, and behind the last one of a complete list.
  virtual std::string Separator() const { return ""; }
  virtual std::string Footer() const { return ""; }
};

}  // namespace rollcall
