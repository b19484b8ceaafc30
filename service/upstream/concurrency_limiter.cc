#include "service/upstream/concurrency_limiter.h"

#include <algorithm>
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
      limit_(limits.max_in_flight),
      shares_(limits.max_connections) {}

std::unique_ptr<ConcurrencyLimiter::Permit> ConcurrencyLimiter::Acquire(
    Kind kind, std::string caller, CircuitBreaker::Target target, Scheduler& scheduler,
    Decided decided) {
  std::unique_ptr<Permit> permit(
      new Permit(*this, kind, std::move(caller), target, scheduler, std::move(decided)));
  const MutexLock lock(mutex_);
  if (!breaker_.is_closed()) {
    if (const auto wait = breaker_.TimeToWait(now_(), target)) {
      Decide(*permit, CircuitOpen(*wait));
    } else {
      probe_ = permit.get();
      Grant(*permit);
    }
    return permit;
  }
  if (kind == Kind::kFirst) {
    if (first_waiting_ >= limits_.max_waiting && !MayGrant(permit->caller_) &&
        !MakeRoomInQueue(permit->caller_)) {
      Decide(*permit, QueueFull());
      return permit;
    }
    ++first_waiting_;
    ++first_waiting_of_[permit->caller_];
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
      (permit.kind_ == Kind::kPrefetch ? prefetches_ : needed_).Remove(permit.caller_, &permit);
      EndWaiting(permit);
      break;
    case Permit::State::kInFlight:
      --in_flight_;
      shares_.Remove(permit.caller_);
      break;
    case Permit::State::kStalled:
      --stalled_;
      if (permit.kind_ == Kind::kPrefetch) shares_.RemoveIdle(permit.caller_, &permit);
      shares_.Remove(permit.caller_);
      break;
    case Permit::State::kRevoked:
      --stalled_;
      --revoked_;
      shares_.Remove(permit.caller_);
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
  switch (permit.state_) {
    case Permit::State::kWaiting:
      prefetches_.Remove(permit.caller_, &permit);
      needed_.Push(permit.caller_, &permit);
      break;
    case Permit::State::kStalled:
      shares_.RemoveIdle(permit.caller_, &permit);
      break;
    case Permit::State::kRevoked:
      permit.state_ = Permit::State::kStalled;
      --revoked_;
      break;
    case Permit::State::kInFlight:
    case Permit::State::kRefused:
      break;
  }
  GrantWaiting();
}

void ConcurrencyLimiter::OnStalled(Permit& permit) {
  const MutexLock lock(mutex_);
  if (permit.state_ != Permit::State::kInFlight) return;
  permit.state_ = Permit::State::kStalled;
  --in_flight_;
  ++stalled_;
  if (permit.kind_ == Kind::kPrefetch) shares_.AddIdle(permit.caller_, &permit);
  GrantWaiting();
}

void ConcurrencyLimiter::OnResponse(Permit& permit, int http_status, int account_requests) {
  if (http_status >= 500) return OnFailure(permit, CircuitBreaker::Failure::kRequest);
  const MutexLock lock(mutex_);
  const Clock::time_point now = now_();
  const bool was_up = breaker_.is_closed();
  breaker_.OnResponse(now);
  probe_ = nullptr;
  if (http_status == 429 || account_requests > limits_.max_in_flight) {
    limit_.OnTooMany(permit.sent_, now);
  } else {
    limit_.OnServed(in_flight_ >= limit_.value());
  }
  OnBreakerChange(was_up);
  GrantWaiting();
}

void ConcurrencyLimiter::OnFailure(Permit& permit, CircuitBreaker::Failure failure) {
  const MutexLock lock(mutex_);
  const bool was_up = breaker_.is_closed();
  const bool was_probe = probe_ == &permit;
  if (was_probe) probe_ = nullptr;
  // Requests that were sent before the circuit breaker opened fail later, and prove nothing new.
  if (was_up || was_probe) breaker_.OnFailure(now_(), failure, permit.target_);
  OnBreakerChange(was_up);
}

void ConcurrencyLimiter::OnBreakerChange(bool was_up) {
  const bool is_up = breaker_.is_closed();
  if (was_up != is_up) on_change_(is_up);
  if (!is_up) RefuseWaiting();
}

// The permit has left the queue.
void ConcurrencyLimiter::EndWaiting(const Permit& permit) {
  if (permit.kind_ != Kind::kFirst) return;
  --first_waiting_;
  const auto found = first_waiting_of_.find(permit.caller_);
  if (--found->second == 0) first_waiting_of_.erase(found);
}

// Refuses the newest call of the caller with the most waiting ones, if the queue is more evenly
// shared then.
bool ConcurrencyLimiter::MakeRoomInQueue(const std::string& caller) {
  const auto most = std::max_element(
      first_waiting_of_.begin(), first_waiting_of_.end(),
      [](const auto& one, const auto& other) { return one.second < other.second; });
  const auto own = first_waiting_of_.find(caller);
  const int own_waiting = own == first_waiting_of_.end() ? 0 : own->second;
  if (most == first_waiting_of_.end() || most->second <= own_waiting + 1) return false;
  Permit& newest = *needed_.FindLast(
      most->first, [](const Permit& permit) { return permit.kind_ == Kind::kFirst; });
  needed_.Remove(newest.caller_, &newest);
  EndWaiting(newest);
  Decide(newest, QueueFull());
  return true;
}

void ConcurrencyLimiter::Decide(Permit& permit, const absl::Status& status) {
  if (permit.state_ == Permit::State::kWaiting) {
    permit.state_ = status.ok() ? Permit::State::kInFlight : Permit::State::kRefused;
  }
  permit.scheduler_.Post([gone = permit.gone_, decided = permit.decided_, status] {
    if (!*gone) (*decided)(status);
  });
}

void ConcurrencyLimiter::Grant(Permit& permit) {
  ++in_flight_;
  shares_.Add(permit.caller_);
  permit.sent_ = now_();
  Decide(permit, absl::OkStatus());
}

void ConcurrencyLimiter::GrantWaiting() {
  const auto has_room = [this](const std::string& caller) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return shares_.HasRoom(caller);
  };
  const auto has_room_for_prefetch =
      [this](const std::string& caller)
          ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return shares_.HasRoomForPrefetch(caller); };
  while (in_flight_ < limit_.value()) {
    Permit* permit = needed_.PopIf(has_room);
    if (permit == nullptr && needed_.empty()) permit = prefetches_.PopIf(has_room_for_prefetch);
    if (permit == nullptr) break;
    EndWaiting(*permit);
    Grant(*permit);
  }
  RevokeIdlePrefetches();
}

// If requests wait for connections, takes back those of prefetches that are not read.
void ConcurrencyLimiter::RevokeIdlePrefetches() {
  const int lacking = std::min(needed_.size(), limit_.value() - in_flight_);
  while (revoked_ < lacking) {
    Permit* const permit = shares_.IdleOfLargestHolder();
    if (permit == nullptr) return;
    shares_.RemoveIdle(permit->caller_, permit);
    permit->state_ = Permit::State::kRevoked;
    ++revoked_;
    Decide(*permit, QueueFull());
  }
}

bool ConcurrencyLimiter::MayGrant(const std::string& caller) const {
  return in_flight_ < limit_.value() && shares_.HasRoom(caller);
}

void ConcurrencyLimiter::RefuseWaiting() {
  // The next request that is made becomes the probe, not one that has waited.
  const absl::Status refusal = CircuitOpen(breaker_.open_time());
  for (FairQueue<Permit>* queue : {&needed_, &prefetches_}) {
    while (!queue->empty()) Decide(*queue->Pop(), refusal);
  }
  first_waiting_ = 0;
  first_waiting_of_.clear();
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
