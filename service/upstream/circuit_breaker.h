// Leaves an upstream alone that is down: after so many failures in a row, no request goes out for a
// while; then one does, and what comes of it decides for all. Where nothing comes of it for as long
// again, another one does. Time is handed in. Used by the
// request gate, under its lock.
#pragma once

#include <chrono>
#include <optional>

#include "service/config/config.h"

namespace rollcall {

class CircuitBreaker {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit CircuitBreaker(const BreakerSettings& settings) : settings_(settings) {}

  // Whether requests go out as usual.
  bool is_closed() const { return state_ == State::kClosed; }

  // Nothing where a request may go out now; else how long to wait before asking again. While not
  // closed, a request that may go out is the probe: one of the three below must follow it.
  std::optional<std::chrono::milliseconds> TimeToWait(Time now);

  // How long no request goes out once it opens.
  std::chrono::milliseconds open_time() const { return settings_.open; }

  // The upstream answered a request: it is up.
  void OnAnswer();
  // It did not, or said itself that it cannot. While not closed, this is of the probe only.
  void OnFailure(Time now);
  // The probe was given up before anything came of it.
  void OnProbeGivenUp();

 private:
  enum class State { kClosed, kOpen, kProbing };

  const BreakerSettings settings_;
  State state_ = State::kClosed;
  int failures_ = 0;  // in a row
  Time shut_until_;   // while not closed: when the next probe may go out
};

}  // namespace rollcall
