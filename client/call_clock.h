// Time as the client sees it: how long a call has taken, and the wait before the next. Programs
// need no other than the real one; tests hand in their own by CallOptions and wait for nothing.
#pragma once

#include <memory>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace rollcall {

// Used by a call on the thread that makes it.
class CallClock {
 public:
  virtual ~CallClock() = default;

  // The time since a moment of the clock's own. It never goes back.
  virtual absl::Duration Now() = 0;

  // Returns after `duration`, or as soon as `cancelled` is notified.
  virtual void Wait(absl::Duration duration, const absl::Notification& cancelled) = 0;
};

// The real one. Thread-safe.
std::shared_ptr<CallClock> SteadyClock();

}  // namespace rollcall
