// Time as the client sees it: how long a call has taken, and the wait before the next. Programs
// need no other than the real one; tests hand in their own by CallOptions and wait for nothing.
#pragma once

#include <memory>

#include "absl/time/time.h"
#include "rollcall/call_canceller.h"

namespace rollcall {

// Used by a call on the thread that makes it.
class CallClock {
 public:
  virtual ~CallClock() = default;

  // The time since a moment of the clock's own. It never goes back.
  virtual absl::Duration Now() = 0;

  // Returns after `duration`, or as soon as `canceller` cancels.
  virtual void Wait(absl::Duration duration, CallCanceller& canceller) = 0;
};

// The real one, whose waits give gRPC the thread to connect with meanwhile. Thread-safe.
std::shared_ptr<CallClock> SteadyClock();

}  // namespace rollcall
