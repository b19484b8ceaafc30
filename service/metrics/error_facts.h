// What the operator is told of an error: its code and reason, and what its details say of the
// provider's answer. Not its message, which is for callers. Used by the monitors of calls and of
// requests, on any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "rollcall/v1/error_reason.pb.h"
#include "service/log/event_log.h"

namespace rollcall {

struct ErrorFacts {
  absl::StatusCode code = absl::StatusCode::kOk;
  v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED;  // where there is none
  int http_status = 0;                                    // likewise
  Identifier provider_code;
  Identifier provider_request_id;
};

ErrorFacts FactsOf(const absl::Status& status);

// Adds those that there are, but for the code.
void AddFacts(const ErrorFacts& facts, EventLog::Fields& fields);

}  // namespace rollcall
