#include "client/call_clock.h"

#include <chrono>

namespace rollcall {
namespace {

class Steady final : public CallClock {
 public:
  absl::Duration Now() override {
    return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
  }

  void Wait(absl::Duration duration, const absl::Notification& cancelled) override {
    cancelled.WaitForNotificationWithTimeout(duration);
  }
};

}  // namespace

std::shared_ptr<CallClock> SteadyClock() { return std::make_shared<Steady>(); }

}  // namespace rollcall
