#include "service/upstream/request_gate.h"

#include <utility>

#include "service/error/error.h"

namespace rollcall {
namespace {

using std::chrono::milliseconds;

// How soon a caller who is refused may try again.
constexpr milliseconds kQueueRetryDelay = std::chrono::seconds(1);

}  // namespace

RequestGate::RequestGate(const RequestLimits& limits, const BreakerSettings& breaker,
                         std::function<void(bool up)> on_change,
                         std::function<Clock::time_point()> now)
    : limits_(limits),
      on_change_(std::move(on_change)),
      now_(std::move(now)),
      breaker_(breaker),
      limit_(limits.max_in_flight) {}

std::unique_ptr<RequestGate::Place> RequestGate::Enter(Kind kind, std::string caller,
                                                       Scheduler& scheduler, Decided decided) {
  std::unique_ptr<Place> place(
      new Place(*this, kind, std::move(caller), scheduler, std::move(decided)));
  const std::lock_guard lock(mutex_);
  if (!breaker_.is_closed()) {
    if (const auto wait = breaker_.TimeToWait(now_())) {
      Decide(*place, CircuitOpen(*wait));
    } else {
      probe_ = place.get();
      LetGo(*place);
    }
    return place;
  }
  if (kind == Kind::kFirst) {
    if (first_waiting_ >= limits_.max_waiting && !HasRoom()) {
      absl::Status full = MakeError(
          v1::ERROR_REASON_UPSTREAM_QUEUE_FULL,
          "as many calls as may wait for the upstream wait already (max_requests_waiting)");
      AddRetryInfo(full, kQueueRetryDelay);
      Decide(*place, full);
      return place;
    }
    ++first_waiting_;
  }
  (kind == Kind::kPrefetch ? prefetches_ : wanted_).Push(place->caller_, place.get());
  AdmitWaiting();
  return place;
}

RequestGate::Counts RequestGate::counts() const {
  const std::lock_guard lock(mutex_);
  return {wanted_.size() + prefetches_.size(), in_flight_, standing_, limit_.value(),
          !breaker_.is_closed()};
}

void RequestGate::Leave(Place& place) {
  *place.gone_ = true;
  const std::lock_guard lock(mutex_);
  switch (place.state_) {
    case Place::State::kWaiting:
      if (place.kind_ == Kind::kFirst) --first_waiting_;
      (place.kind_ == Kind::kPrefetch ? prefetches_ : wanted_).Remove(place.caller_, &place);
      break;
    case Place::State::kInFlight:
      --in_flight_;
      break;
    case Place::State::kStanding:
      --standing_;
      break;
    case Place::State::kRefused:
      break;
  }
  if (probe_ == &place) {
    probe_ = nullptr;
    breaker_.OnProbeGivenUp();
  }
  AdmitWaiting();
}

void RequestGate::Want(Place& place) {
  const std::lock_guard lock(mutex_);
  if (place.kind_ != Kind::kPrefetch) return;
  place.kind_ = Kind::kNext;
  if (place.state_ != Place::State::kWaiting) return;
  prefetches_.Remove(place.caller_, &place);
  wanted_.Push(place.caller_, &place);
}

void RequestGate::StandStill(Place& place) {
  const std::lock_guard lock(mutex_);
  if (place.state_ != Place::State::kInFlight) return;
  place.state_ = Place::State::kStanding;
  --in_flight_;
  ++standing_;
  AdmitWaiting();
}

void RequestGate::OnOutcome(Place& place, std::optional<int> http_status, int account_requests) {
  const std::lock_guard lock(mutex_);
  const Clock::time_point now = now_();
  const bool was_up = breaker_.is_closed();
  const bool was_probe = probe_ == &place;
  if (was_probe) probe_ = nullptr;
  if (!http_status || *http_status >= 500) {
    // Requests that went out before the circuit opened fail later, and say nothing new.
    if (was_up || was_probe) breaker_.OnFailure(now);
  } else {
    breaker_.OnAnswer();
    probe_ = nullptr;
    if (*http_status == 429 || account_requests > limits_.max_in_flight) {
      limit_.OnTooMany(place.sent_, now);
    } else {
      limit_.OnServed(in_flight_ >= limit_.value());
    }
  }
  const bool is_up = breaker_.is_closed();
  if (was_up != is_up) on_change_(is_up);
  if (!is_up) RefuseWaiting();
  AdmitWaiting();
}

void RequestGate::Decide(Place& place, const absl::Status& status) {
  place.state_ = status.ok() ? Place::State::kInFlight : Place::State::kRefused;
  place.scheduler_.Post([&place, gone = place.gone_, status] {
    if (*gone) return;
    Decided decided = std::move(place.decided_);  // which may destroy the place
    decided(status);
  });
}

void RequestGate::LetGo(Place& place) {
  ++in_flight_;
  place.sent_ = now_();
  Decide(place, absl::OkStatus());
}

void RequestGate::AdmitWaiting() {
  while (HasRoom() && !(wanted_.empty() && prefetches_.empty())) {
    Place& place = *(wanted_.empty() ? prefetches_ : wanted_).Pop();
    if (place.kind_ == Kind::kFirst) --first_waiting_;
    LetGo(place);
  }
}

bool RequestGate::HasRoom() const {
  return in_flight_ < limit_.value() && in_flight_ + standing_ < limits_.max_connections;
}

void RequestGate::RefuseWaiting() {
  // Nobody is the probe by having waited: whoever asks next is.
  const absl::Status refusal = CircuitOpen(breaker_.open_time());
  for (FairQueue<Place>* queue : {&wanted_, &prefetches_}) {
    while (!queue->empty()) Decide(*queue->Pop(), refusal);
  }
  first_waiting_ = 0;
}

absl::Status RequestGate::CircuitOpen(milliseconds wait) const {
  absl::Status status = MakeError(
      v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN,
      "the provider failed so often lately that it is left alone for a moment; nothing was sent");
  AddRetryInfo(status, wait);
  return status;
}

}  // namespace rollcall
