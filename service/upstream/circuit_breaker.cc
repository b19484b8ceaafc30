#include "service/upstream/circuit_breaker.h"

#include <algorithm>

namespace rollcall {
namespace {

using std::chrono::milliseconds;

// Before those who may not be the probe ask again: it is answered soon, where it is.
constexpr milliseconds kProbeTime = std::chrono::seconds(1);

}  // namespace

std::optional<milliseconds> CircuitBreaker::TimeToWait(Time now) {
  switch (state_) {
    case State::kClosed:
      return std::nullopt;
    case State::kProbing:
      return std::min(kProbeTime, settings_.open);
    case State::kOpen:
      break;
  }
  if (now < open_until_) return std::chrono::ceil<milliseconds>(open_until_ - now);
  state_ = State::kProbing;
  return std::nullopt;
}

void CircuitBreaker::OnAnswer() {
  state_ = State::kClosed;
  failures_ = 0;
}

void CircuitBreaker::OnFailure(Time now) {
  // Requests that went out before it opened fail later, and say nothing new.
  if (state_ == State::kOpen) return;
  if (++failures_ < settings_.failures) return;
  state_ = State::kOpen;
  open_until_ = now + settings_.open;
}

void CircuitBreaker::OnProbeGivenUp() {
  // The next to ask is the probe.
  if (state_ == State::kProbing) state_ = State::kOpen;
}

}  // namespace rollcall
