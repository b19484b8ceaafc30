// Options of one list or Get. Every option has a default that suits most programs.
// ParticipantClient copies them.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rollcall/backoff_policy.h"
#include "rollcall/call_canceller.h"
#include "rollcall/call_clock.h"
#include "rollcall/call_retry_policy.h"

namespace rollcall {

// Whether the service accepts `text` as a request id.
bool IsRequestId(absl::string_view text);

struct CallOptions {
  // The time for the whole list or Get with all its retries, counted from List() or Get(). When it
  // has passed, the list or Get ends with DEADLINE_EXCEEDED; if only a wait for a retry was left,
  // it ends with the last failure, without waiting. The service has its own time limit for each
  // call: a list that exceeds it is resumed with another call.
  absl::Duration timeout = absl::InfiniteDuration();

  // Identifies all calls of the list or Get in the service's log and at the provider: 1 to 128
  // letters, digits, '-', '_' and '.'. If it is empty or invalid, the service assigns an id to each
  // call, which errors name in google.rpc.RequestInfo.
  std::string request_id;

  // Prototypes that each list or Get clones. Not null.
  std::shared_ptr<const CallRetryPolicy> retry_policy = std::make_shared<LimitedRetryPolicy>();
  std::shared_ptr<const BackoffPolicy> backoff_policy = std::make_shared<ExponentialBackoff>();

  // Cancels the list or Get from another thread, together with all others that share the canceller.
  // Null: only ParticipantRange::Cancel() can cancel it.
  std::shared_ptr<CallCanceller> canceller;

  // Not null.
  std::shared_ptr<CallClock> clock = SteadyClock();
};

}  // namespace rollcall
