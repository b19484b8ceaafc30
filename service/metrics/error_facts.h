// What the operator learns of an error: code, reason, and what the provider's response contained.
// Not the message, which is for callers. Values of any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "rollcall/v1/error_reason.pb.h"
#include "service/log/event_log.h"

namespace rollcall::service {

struct ErrorFacts {
  absl::StatusCode code = absl::StatusCode::kOk;
  v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED;  // if there is none
  int http_status = 0;                                    // likewise
  Identifier provider_code;
  Identifier provider_request_id;
};

ErrorFacts FactsOf(const absl::Status& status);

// Adds the facts that are present, except the code.
void AddFacts(const ErrorFacts& facts, EventLog::Fields& fields);

}  // namespace rollcall::service
