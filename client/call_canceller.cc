#include "client/call_canceller.h"

namespace rollcall {

void CallCanceller::Cancel() {
  const absl::MutexLock lock(&mutex_);
  if (notification_.HasBeenNotified()) return;
  notification_.Notify();
  for (grpc::ClientContext* context : contexts_) context->TryCancel();
}

CallCanceller::Watch::Watch(CallCanceller& canceller, grpc::ClientContext& context)
    : canceller_(canceller), context_(context) {
  const absl::MutexLock lock(&canceller_.mutex_);
  canceller_.contexts_.insert(&context_);
  // gRPC remembers it for a call that has yet to begin.
  if (canceller_.notification_.HasBeenNotified()) context_.TryCancel();
}

CallCanceller::Watch::~Watch() {
  const absl::MutexLock lock(&canceller_.mutex_);
  canceller_.contexts_.erase(&context_);
}

}  // namespace rollcall
