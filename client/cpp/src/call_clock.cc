#include "rollcall/call_clock.h"

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <chrono>

#include "absl/time/clock.h"

namespace rollcall {
namespace {

class Steady final : public CallClock {
 public:
  absl::Duration Now() override {
    return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
  }

  // Waits inside gRPC, because a channel reconnects only while a thread runs gRPC's code. If the
  // thread slept elsewhere, gRPC would attend to the channel only every five seconds.
  void Wait(absl::Duration duration, CallCanceller& canceller) override {
    grpc::CompletionQueue queue;
    grpc::Alarm alarm;
    alarm.Set(&queue, absl::ToChronoTime(absl::Now() + duration), nullptr);
    void* tag;
    bool ok;
    {
      const CallCanceller::Watch watch(canceller, [&alarm] { alarm.Cancel(); });
      queue.Next(&tag, &ok);
    }
    queue.Shutdown();
    while (queue.Next(&tag, &ok)) {
    }
  }
};

}  // namespace

std::shared_ptr<CallClock> SteadyClock() { return std::make_shared<Steady>(); }

}  // namespace rollcall
