#include "service/upstream/concurrency_limiter.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "service/error/error.h"

namespace rollcall::service {
namespace {

using std::chrono::milliseconds;

// When a caller may retry after UPSTREAM_QUEUE_FULL.
constexpr std::chrono::seconds kQueueRetryDelay{1};

}  // namespace

ConcurrencyLimiter::ConcurrencyLimiter(const LimiterOptions& limits, const BreakerOptions& breaker,
                                       std::function<void(bool up)> on_change,
                                       std::function<Clock::time_point()> now)
    : limits_(limits),
      on_change_(std::move(on_change)),
      now_(std::move(now)),
      breaker_(breaker),
      limit_(limits.max_in_flight) {}

std::unique_ptr<ConcurrencyLimiter::Permit> ConcurrencyLimiter::Acquire(Kind kind,
                                                                        std::string caller,
                                                                        Scheduler& scheduler,
                                                                        Decided decided) {
  std::unique_ptr<Permit> permit(
      new Permit(*this, kind, std::move(caller), scheduler, std::move(decided)));
  const MutexLock lock(mutex_);
  if (!breaker_.is_closed()) {
    if (const auto wait = breaker_.TimeToWait(now_())) {
      Decide(*permit, CircuitOpen(*wait));
    } else {
      probe_ = permit.get();
      Grant(*permit);
    }
    return permit;
  }
  if (kind == Kind::kFirst) {
    if (first_waiting_ >= limits_.max_waiting && !HasRoom()) {
      Decide(*permit, QueueFull());
      return permit;
    }
    ++first_waiting_;
  }
  (kind == Kind::kPrefetch ? prefetches_ : needed_).Push(permit->caller_, permit.get());
  GrantWaiting();
  return permit;
}

ConcurrencyLimiter::Counts ConcurrencyLimiter::counts() const {
  const MutexLock lock(mutex_);
  return {needed_.size() + prefetches_.size(), in_flight_, stalled_, limit_.value(),
          !breaker_.is_closed()};
}

void ConcurrencyLimiter::Release(Permit& permit) {
  *permit.gone_ = true;
  const MutexLock lock(mutex_);
  switch (permit.state_) {
    case Permit::State::kWaiting:
      if (permit.kind_ == Kind::kFirst) --first_waiting_;
      (permit.kind_ == Kind::kPrefetch ? prefetches_ : needed_).Remove(permit.caller_, &permit);
      break;
    case Permit::State::kInFlight:
      --in_flight_;
      break;
    case Permit::State::kStalled:
      --stalled_;
      break;
    case Permit::State::kRefused:
      break;
  }
  if (probe_ == &permit) {
    probe_ = nullptr;
    breaker_.OnProbeGivenUp();
  }
  GrantWaiting();
}

void ConcurrencyLimiter::Promote(Permit& permit) {
  const MutexLock lock(mutex_);
  if (permit.kind_ != Kind::kPrefetch) return;
  permit.kind_ = Kind::kNext;
  if (permit.state_ != Permit::State::kWaiting) return;
  prefetches_.Remove(permit.caller_, &permit);
  needed_.Push(permit.caller_, &permit);
}

void ConcurrencyLimiter::OnStalled(Permit& permit) {
  const MutexLock lock(mutex_);
  if (permit.state_ != Permit::State::kInFlight) return;
  permit.state_ = Permit::State::kStalled;
  --in_flight_;
  ++stalled_;
  GrantWaiting();
}

void ConcurrencyLimiter::OnOutcome(Permit& permit, std::optional<int> http_status,
                                   int account_requests) {
  const MutexLock lock(mutex_);
  const Clock::time_point now = now_();
  const bool was_up = breaker_.is_closed();
  const bool was_probe = probe_ == &permit;
  if (was_probe) probe_ = nullptr;
  if (!http_status || *http_status >= 500) {
    // Requests that were sent before the circuit breaker opened fail later, and prove nothing new.
    if (was_up || was_probe) breaker_.OnFailure(now);
  } else {
    breaker_.OnResponse();
    probe_ = nullptr;
    if (*http_status == 429 || account_requests > limits_.max_in_flight) {
      limit_.OnTooMany(permit.sent_, now);
    } else {
      limit_.OnServed(in_flight_ >= limit_.value());
    }
  }
  const bool is_up = breaker_.is_closed();
  if (was_up != is_up) on_change_(is_up);
  if (!is_up) RefuseWaiting();
  GrantWaiting();
}

void ConcurrencyLimiter::Decide(Permit& permit, const absl::Status& status) {
  permit.state_ = status.ok() ? Permit::State::kInFlight : Permit::State::kRefused;
  permit.scheduler_.Post(
      [gone = permit.gone_, decided = std::move(permit.decided_), status]() mutable {
        if (!*gone) decided(status);
      });
}

void ConcurrencyLimiter::Grant(Permit& permit) {
  ++in_flight_;
  permit.sent_ = now_();
  Decide(permit, absl::OkStatus());
}

void ConcurrencyLimiter::GrantWaiting() {
  while (HasRoom() && !(needed_.empty() && prefetches_.empty())) {
    Permit& permit = *(needed_.empty() ? prefetches_ : needed_).Pop();
    if (permit.kind_ == Kind::kFirst) --first_waiting_;
    Grant(permit);
  }
}

bool ConcurrencyLimiter::HasRoom() const {
  return in_flight_ < limit_.value() && in_flight_ + stalled_ < limits_.max_connections;
}

void ConcurrencyLimiter::RefuseWaiting() {
  // The next request that is made becomes the probe, not one that has waited.
  const absl::Status refusal = CircuitOpen(breaker_.open_time());
  for (FairQueue<Permit>* queue : {&needed_, &prefetches_}) {
    while (!queue->empty()) Decide(*queue->Pop(), refusal);
  }
  first_waiting_ = 0;
}

absl::Status ConcurrencyLimiter::QueueFull() const {
  absl::Status status =
      MakeError(v1::ERROR_REASON_UPSTREAM_QUEUE_FULL,
                absl::StrCat("upstream queue is full (max_requests_waiting = ", limits_.max_waiting,
                             "); retry after ", kQueueRetryDelay.count(), " s"));
  AddRetryInfo(status, kQueueRetryDelay);
  return status;
}

absl::Status ConcurrencyLimiter::CircuitOpen(milliseconds wait) {
  absl::Status status =
      MakeError(v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN,
                "circuit breaker is open after repeated upstream failures; no request was sent");
  AddRetryInfo(status, wait);
  return status;
}

}  // namespace rollcall::service
