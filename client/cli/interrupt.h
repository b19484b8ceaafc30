#pragma once

#include <atomic>
#include <memory>

#include "rollcall/call_canceller.h"

namespace rollcall {

// Carries the wish to stop from the thread that waits for signals to the call in progress. main()
// makes one and raises it; `RunCommand` makes its call with the canceller and asks afterwards
// whether it was raised. Thread-safe.
class Interrupt {
 public:
  Interrupt() = default;
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Cancels the call, also one that is made later.
  void Raise(int signal);

  // The signal with which it was raised, or 0.
  int signal() const { return signal_; }

  const std::shared_ptr<CallCanceller>& canceller() const { return canceller_; }

 private:
  std::atomic<int> signal_ = 0;
  const std::shared_ptr<CallCanceller> canceller_ = std::make_shared<CallCanceller>();
};

}  // namespace rollcall
