#include "service/upstream/circuit_breaker.h"

namespace rollcall::service {

using std::chrono::milliseconds;

std::optional<milliseconds> CircuitBreaker::TimeToWait(Time now) {
  if (state_ == State::kClosed) return std::nullopt;
  if (now < shut_until_) return std::chrono::ceil<milliseconds>(shut_until_ - now);
  // If the probe has no outcome by then, another one is sent.
  state_ = State::kProbing;
  shut_until_ = now + settings_.open;
  return std::nullopt;
}

void CircuitBreaker::OnResponse() {
  state_ = State::kClosed;
  failures_ = 0;
}

void CircuitBreaker::OnFailure(Time now) {
  if (++failures_ < settings_.failures) return;
  state_ = State::kOpen;
  shut_until_ = now + settings_.open;
}

void CircuitBreaker::OnProbeGivenUp() {
  if (state_ != State::kProbing) return;
  // The next request is the probe.
  state_ = State::kOpen;
  shut_until_ = Time::min();
}

}  // namespace rollcall::service
