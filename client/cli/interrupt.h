#pragma once

#include <atomic>
#include <memory>

#include "rollcall/call_canceller.h"

namespace rollcall {

// Passes a signal from the thread that waits for signals to the command in progress, whose calls
// use the canceller. Thread-safe.
class Interrupt {
 public:
  Interrupt() = default;
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Cancels the call in progress and all later calls.
  void Raise(int signal);

  // The signal that was raised, or 0.
  int signal() const { return signal_; }

  const std::shared_ptr<CallCanceller>& canceller() const { return canceller_; }

 private:
  std::atomic<int> signal_ = 0;
  const std::shared_ptr<CallCanceller> canceller_ = std::make_shared<CallCanceller>();
};

}  // namespace rollcall
