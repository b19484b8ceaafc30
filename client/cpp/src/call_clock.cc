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

  // A channel connects only while some thread is within gRPC. One that slept elsewhere would come
  // back to a channel as unconnected as it left it: gRPC looks after such channels every five
  // seconds only.
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
