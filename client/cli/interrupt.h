#pragma once

#include <grpcpp/client_context.h>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace rollcall {

// Carries the wish to stop from the thread that waits for signals to the call in progress. main()
// makes one and raises it; `ParticipantCall` lets it watch the context of its call; `RunCommand`
// asks afterwards whether it was raised. Thread-safe.
class Interrupt {
 public:
  Interrupt() = default;
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Cancels the watched call, and each that is watched later.
  void Raise(int signal);

  // The signal with which it was raised, or 0.
  int signal() const;

  // Watches the call of `context` until the next Watch(). Null watches nothing. The context must
  // outlive the watch.
  void Watch(grpc::ClientContext* context);

 private:
  mutable absl::Mutex mutex_;
  int signal_ ABSL_GUARDED_BY(mutex_) = 0;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace rollcall
