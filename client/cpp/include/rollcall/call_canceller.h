// Cancels calls from another thread, for example one that waits for signals or handles a user
// interface. A program passes one in CallOptions, or uses a list's own by
// ParticipantRange::Cancel(). Thread-safe.
#pragma once

#include <functional>
#include <set>

#include "absl/base/thread_annotations.h"
#include "rollcall/internal/mutex.h"

namespace rollcall {

class CallCanceller {
 public:
  CallCanceller() = default;
  CallCanceller(const CallCanceller&) = delete;
  CallCanceller& operator=(const CallCanceller&) = delete;

  // Ends every call that uses this canceller with CANCELLED, whether it reads or waits for a retry,
  // and every later call that uses it. Has no effect when called again.
  void Cancel();

  bool cancelled() const;

  // While a Watch exists, Cancel() calls its `end`; if Cancel() was called before, the constructor
  // does. The client makes one for each call and each wait. `end` must not use the canceller, which
  // must outlive the Watch.
  class Watch {
   public:
    Watch(CallCanceller& canceller, std::function<void()> end);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    friend class CallCanceller;

    CallCanceller& canceller_;
    const std::function<void()> end_;
  };

 private:
  mutable internal::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<const Watch*> watches_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rollcall
