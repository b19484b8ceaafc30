#include "service/upstream/circuit_breaker.h"

#include <algorithm>

namespace rollcall::service {
namespace {

using std::chrono::milliseconds;

// One target contributes at most this fraction of the failures that open the breaker.
constexpr int kTargets = 4;

}  // namespace

std::optional<milliseconds> CircuitBreaker::TimeToWait(Time now, Target target) {
  if (state_ == State::kClosed) return std::nullopt;
  // If a target has failed as the probe, the next probe is left to another one for a while.
  const Time until = failed_probe_ == target ? shut_until_ + settings_.open : shut_until_;
  if (now < until) return std::chrono::ceil<milliseconds>(until - now);
  // If the probe has no outcome by then, another one is sent.
  state_ = State::kProbing;
  shut_until_ = now + settings_.open;
  return std::nullopt;
}

void CircuitBreaker::OnResponse(Time now) {
  state_ = State::kClosed;
  failures_ = 0;
  failures_of_target_.clear();
  failed_probe_.reset();
  last_response_ = now;
}

void CircuitBreaker::OnFailure(Time now, Failure failure, Target target) {
  if (state_ == State::kClosed) {
    if (failures_ < settings_.failures && Counts(failure, target)) ++failures_;
    if (failures_ < settings_.failures || now < last_response_ + settings_.open / 2) return;
  } else if (failure == Failure::kRequest) {
    failed_probe_ = target;
  }
  state_ = State::kOpen;
  shut_until_ = now + settings_.open;
}

void CircuitBreaker::OnProbeGivenUp() {
  if (state_ != State::kProbing) return;
  // The next request is the probe.
  state_ = State::kOpen;
  shut_until_ = Time::min();
}

// Whether the failure is one of those that open the breaker. Counts those of each target.
bool CircuitBreaker::Counts(Failure failure, Target target) {
  if (failure == Failure::kUnreachable) return true;
  int& count = failures_of_target_[target];
  if (count >= std::max(settings_.failures / kTargets, 1)) return false;
  ++count;
  return true;
}

}  // namespace rollcall::service
