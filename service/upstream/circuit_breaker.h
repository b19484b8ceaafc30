// Opens after consecutive failures of an upstream: no request is sent for a while, then one probe.
// Its outcome closes or reopens the breaker; if it has none for as long again, another probe is
// sent.
//
// A request may fail because of what it asks for: a provider may respond with 500 to one filter or
// conference. So one target contributes at most a quarter of the failures that open the breaker,
// and the breaker stays closed if a request has succeeded within half of the open time.
//
// Not thread-safe; time is passed in.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "absl/container/flat_hash_map.h"

namespace rollcall::service {

// When an upstream counts as down, and for how long no request is sent then.
struct BreakerOptions {
  // Requests in a row without a response, or with 5xx; those of one target count up to a quarter.
  int failures = 20;
  std::chrono::milliseconds open = std::chrono::seconds(5);
};

class CircuitBreaker {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // What a request asks for; equal for requests that may fail for the same reason.
  using Target = std::size_t;

  enum class Failure {
    kUnreachable,  // no connection, or one that broke before the response
    kRequest,      // 5xx, or no response in time: perhaps because of the target
  };

  explicit CircuitBreaker(const BreakerOptions& settings) : settings_(settings) {}

  bool is_closed() const { return state_ == State::kClosed; }

  // Nothing if a request may be sent now, otherwise how long to wait before asking again. While not
  // closed, the request that may be sent is the probe: OnResponse, OnFailure or OnProbeGivenUp must
  // follow.
  std::optional<std::chrono::milliseconds> TimeToWait(Time now, Target target);

  // How long no request is sent after the breaker has opened.
  std::chrono::milliseconds open_time() const { return settings_.open; }

  // The upstream has responded: it is up.
  void OnResponse(Time now);
  // No response, or one that says that the upstream is down. While not closed, only for the probe.
  void OnFailure(Time now, Failure failure, Target target);
  // The probe was cancelled before it had an outcome.
  void OnProbeGivenUp();

 private:
  enum class State { kClosed, kOpen, kProbing };

  bool Counts(Failure failure, Target target);

  const BreakerOptions settings_;
  State state_ = State::kClosed;
  int failures_ = 0;  // in a row
  // Of these, the ones that each target contributed; at most as many entries.
  absl::flat_hash_map<Target, int> failures_of_target_;
  Time last_response_ = Time::min();
  Time shut_until_;                     // while not closed: when the next probe may be sent
  std::optional<Target> failed_probe_;  // the target of the last probe, if it failed
};

}  // namespace rollcall::service
