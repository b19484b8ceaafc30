// The clock for timeouts and for the waits before retries. Programs use SteadyClock(); tests can
// pass a fake clock in CallOptions, so that they do not wait.
#pragma once

#include <memory>

#include "absl/time/time.h"
#include "rollcall/call_canceller.h"

namespace rollcall {

// A call uses its clock on the thread that makes the call.
class CallClock {
 public:
  virtual ~CallClock() = default;

  // The time since an arbitrary moment. Never decreases.
  virtual absl::Duration Now() = 0;

  // Blocks for `duration`, or until `canceller` is cancelled.
  virtual void Wait(absl::Duration duration, CallCanceller& canceller) = 0;
};

// The real clock. While it waits, gRPC can use the thread to reconnect. Thread-safe.
std::shared_ptr<CallClock> SteadyClock();

}  // namespace rollcall
