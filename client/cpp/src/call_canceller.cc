#include "rollcall/call_canceller.h"

#include <utility>

namespace rollcall {

void CallCanceller::Cancel() {
  const internal::MutexLock lock(mutex_);
  if (cancelled_) return;
  cancelled_ = true;
  for (const Watch* watch : watches_) watch->end_();
}

bool CallCanceller::cancelled() const {
  const internal::MutexLock lock(mutex_);
  return cancelled_;
}

CallCanceller::Watch::Watch(CallCanceller& canceller, std::function<void()> end)
    : canceller_(canceller), end_(std::move(end)) {
  const internal::MutexLock lock(canceller_.mutex_);
  canceller_.watches_.insert(this);
  if (canceller_.cancelled_) end_();
}

CallCanceller::Watch::~Watch() {
  const internal::MutexLock lock(canceller_.mutex_);
  canceller_.watches_.erase(this);
}

}  // namespace rollcall
