// Opens after consecutive failures of an upstream: no request is sent for a while, then one probe.
// Its outcome closes or reopens the breaker; if it has none for as long again, another probe is
// sent. Not thread-safe; time is passed in.
#pragma once

#include <chrono>
#include <optional>

namespace rollcall::service {

// When an upstream counts as down, and for how long no request is sent then.
struct BreakerOptions {
  // Requests in a row without a response, or with 5xx.
  int failures = 20;
  std::chrono::milliseconds open = std::chrono::seconds(5);
};

class CircuitBreaker {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit CircuitBreaker(const BreakerOptions& settings) : settings_(settings) {}

  bool is_closed() const { return state_ == State::kClosed; }

  // Nothing if a request may be sent now, otherwise how long to wait before asking again. While not
  // closed, the request that may be sent is the probe: OnResponse, OnFailure or OnProbeGivenUp must
  // follow.
  std::optional<std::chrono::milliseconds> TimeToWait(Time now);

  // How long no request is sent after the breaker has opened.
  std::chrono::milliseconds open_time() const { return settings_.open; }

  // The upstream has responded: it is up.
  void OnResponse();
  // No response, or one that says that the upstream is down. While not closed, only for the probe.
  void OnFailure(Time now);
  // The probe was cancelled before it had an outcome.
  void OnProbeGivenUp();

 private:
  enum class State { kClosed, kOpen, kProbing };

  const BreakerOptions settings_;
  State state_ = State::kClosed;
  int failures_ = 0;  // in a row
  Time shut_until_;   // while not closed: when the next probe may be sent
};

}  // namespace rollcall::service
