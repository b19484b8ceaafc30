// Ends calls from another thread, for example one that waits for signals or a user interface's. A
// program hands one in with CallOptions, or has a list's own by ParticipantRange::Cancel().
// Thread-safe.
#pragma once

#include <grpcpp/client_context.h>

#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

namespace rollcall {

class CallCanceller {
 public:
  CallCanceller() = default;
  CallCanceller(const CallCanceller&) = delete;
  CallCanceller& operator=(const CallCanceller&) = delete;

  // Ends every call that was made with this, whether it is reading or waits to try again, and each
  // that is made with it later. They end with CANCELLED. More than once is as good as once.
  void Cancel();

  bool cancelled() const { return notification_.HasBeenNotified(); }

  // Notified by Cancel(): what a wait ends by.
  const absl::Notification& notification() const { return notification_; }

  // Lets Cancel() reach the call of `context` for as long as this lives. The client makes one for
  // each call; both arguments must outlive it.
  class Watch {
   public:
    Watch(CallCanceller& canceller, grpc::ClientContext& context);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    CallCanceller& canceller_;
    grpc::ClientContext& context_;
  };

 private:
  absl::Mutex mutex_;
  std::set<grpc::ClientContext*> contexts_ ABSL_GUARDED_BY(mutex_);
  absl::Notification notification_;  // Notified under the mutex.
};

}  // namespace rollcall
