#include "client/cli/interrupt.h"

namespace rollcall {

void Interrupt::Raise(int signal) {
  signal_ = signal;
  canceller_->Cancel();
}

}  // namespace rollcall
