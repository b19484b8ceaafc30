// What a program may choose for one list or Get. Every member has a default that suits most. Handed
// to ParticipantClient, which copies it.
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

// Whether the service takes the text as a request id.
bool IsRequestId(absl::string_view text);

struct CallOptions {
  // For all of the list or Get together, however many calls it takes; it counts from List() or
  // Get(). What is not done by then ends with DEADLINE_EXCEEDED, or with the last failure where
  // nothing but a wait was left. The service has a longest time for each call of its own; a list
  // that outlives it is gone on with like one that breaks off.
  absl::Duration timeout = absl::InfiniteDuration();

  // The id by which all calls of the list or Get can be found in the service's log and at the
  // provider: 1 to 128 letters, digits, '-', '_' and '.'. Where it is something else, or empty, the
  // service makes one for each call; errors name it in their google.rpc.RequestInfo.
  std::string request_id;

  // Prototypes, cloned for each list or Get. Not null.
  std::shared_ptr<const CallRetryPolicy> retry_policy = std::make_shared<LimitedRetryPolicy>();
  std::shared_ptr<const BackoffPolicy> backoff_policy = std::make_shared<ExponentialBackoff>();

  // Ends the list or Get from another thread, and any others that were given the same one. Null:
  // only ParticipantRange::Cancel() ends it.
  std::shared_ptr<CallCanceller> canceller;

  // Not null.
  std::shared_ptr<CallClock> clock = SteadyClock();
};

}  // namespace rollcall
