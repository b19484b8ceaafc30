// Ends calls from another thread, for example one that waits for signals or a user interface's. A
// program hands one in with CallOptions, or has a list's own by ParticipantRange::Cancel().
// Thread-safe.
#pragma once

#include <functional>
#include <mutex>
#include <set>

namespace rollcall {

class CallCanceller {
 public:
  CallCanceller() = default;
  CallCanceller(const CallCanceller&) = delete;
  CallCanceller& operator=(const CallCanceller&) = delete;

  // Ends every call that was made with this, whether it is reading or waits to try again, and each
  // that is made with it later. They end with CANCELLED. More than once is as good as once.
  void Cancel();

  bool cancelled() const;

  // Has `end` called by Cancel(), or at once where that was already, for as long as this lives. The
  // client makes one for each call and each wait. `end` must not use the canceller, which must
  // outlive this.
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
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  bool cancelled_ = false;
  std::set<const Watch*> watches_;
};

}  // namespace rollcall
