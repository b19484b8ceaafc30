#include "client/cli/interrupt.h"

namespace rollcall {

void Interrupt::Raise(int signal) {
  absl::MutexLock lock(&mutex_);
  signal_ = signal;
  if (context_ != nullptr) context_->TryCancel();
}

int Interrupt::signal() const {
  absl::MutexLock lock(&mutex_);
  return signal_;
}

void Interrupt::Watch(grpc::ClientContext* context) {
  absl::MutexLock lock(&mutex_);
  context_ = context;
  if (context_ != nullptr && signal_ != 0) context_->TryCancel();
}

}  // namespace rollcall
