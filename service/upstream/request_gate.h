// Decides when a request to one account goes out. As many as the account may be asked at once do
// (InFlightLimit); the others wait in line, their callers served in turn and pages that are asked
// for early behind all that somebody waits for. An upstream that is down is asked nothing
// (CircuitBreaker). One gate an upstream, shared by the event loops: its members may be called from
// any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "service/config/config.h"
#include "service/http/scheduler.h"
#include "service/upstream/circuit_breaker.h"
#include "service/upstream/fair_queue.h"
#include "service/upstream/in_flight_limit.h"

namespace rollcall {

class RequestGate {
 public:
  enum class Kind {
    kFirst,     // of a call: refused where too many wait already
    kNext,      // of a call that runs
    kPrefetch,  // not waited for yet
  };

  // The place of one request: in line at first, then among those that are out. Destroying it gives
  // the place up. For the thread of the loop that it was made with.
  class Place;

  using Decided = absl::AnyInvocable<void(const absl::Status&)>;
  using Clock = std::chrono::steady_clock;

  // How many requests are where, at one moment.
  struct Counts {
    int waiting = 0;
    int in_flight = 0;
    int standing = 0;  // answered in part, and not read on for now
    int limit = 0;     // of those in flight, as it is now
    bool circuit_open = false;
  };

  // `on_change` hears when the upstream is given up as down (false) and when it is back (true), on
  // any thread. It must not call the gate. `now` tells the time; tests have one of their own.
  RequestGate(const RequestLimits& limits, const BreakerSettings& breaker,
              std::function<void(bool up)> on_change,
              std::function<Clock::time_point()> now = &Clock::now);

  // `decided` is called once, on the thread of `scheduler`: with OK when the request is to go out,
  // else with why it is not, which is UPSTREAM_CIRCUIT_OPEN or, of a first request,
  // UPSTREAM_QUEUE_FULL. Not called once the place is gone. `caller` names who asks.
  std::unique_ptr<Place> Enter(Kind kind, std::string caller, Scheduler& scheduler,
                               Decided decided);

  Counts counts() const;

 private:
  void Leave(Place& place);
  void Want(Place& place);
  void StandStill(Place& place);
  void OnOutcome(Place& place, std::optional<int> http_status, int account_requests);

  // These are called with the lock held.
  void Decide(Place& place, const absl::Status& status);
  void LetGo(Place& place);
  void AdmitWaiting();
  bool HasRoom() const;
  void RefuseWaiting();
  absl::Status CircuitOpen(std::chrono::milliseconds wait) const;

  const RequestLimits limits_;
  const std::function<void(bool up)> on_change_;
  const std::function<Clock::time_point()> now_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  CircuitBreaker breaker_;
  InFlightLimit limit_;
  FairQueue<Place> wanted_;
  FairQueue<Place> prefetches_;
  int first_waiting_ = 0;
  int in_flight_ = 0;
  const Place* probe_ = nullptr;  // that goes out while the circuit is open
  int standing_ = 0;              // answered in part, and not read on for now
};

class RequestGate::Place {
 public:
  ~Place() { gate_.Leave(*this); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  // A prefetch is waited for now.
  void Want() { gate_.Want(*this); }

  // The provider has begun to answer. `account_requests` is how many requests of the account it
  // says that it works on, 0 where it does not say.
  void OnAnswer(int http_status, int account_requests) {
    gate_.OnOutcome(*this, http_status, account_requests);
  }
  // The request has failed without an answer.
  void OnNoAnswer() { gate_.OnOutcome(*this, std::nullopt, 0); }

  // The answer is not read on for now, so that the provider is not what it takes its time for. It
  // no longer counts as in flight.
  void StandStill() { gate_.StandStill(*this); }

 private:
  friend class RequestGate;
  enum class State { kWaiting, kInFlight, kStanding, kRefused };

  Place(RequestGate& gate, Kind kind, std::string caller, Scheduler& scheduler, Decided decided)
      : gate_(gate),
        caller_(std::move(caller)),
        scheduler_(scheduler),
        decided_(std::move(decided)),
        kind_(kind) {}

  RequestGate& gate_;
  const std::string caller_;
  Scheduler& scheduler_;
  Decided decided_;
  const std::shared_ptr<bool> gone_ = std::make_shared<bool>(false);  // of the loop's thread

  // Guarded by the gate's lock.
  Kind kind_;
  State state_ = State::kWaiting;
  Clock::time_point sent_;
};

}  // namespace rollcall
