// The limit of requests in flight to an account. Starts at the configured maximum, is halved each
// time the provider reports too many requests, and grows by one per round of served requests (AIMD:
// additive increase, multiplicative decrease). Not thread-safe.
#pragma once

#include <chrono>

namespace rollcall::service {

class AimdLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit AimdLimit(int max) : max_(max), value_(max) {}

  // At least 1.
  int value() const { return static_cast<int>(value_); }

  // A request was served. The limit grows by one per round of requests, and only if
  // `limit_is_reached`: otherwise nothing was learned about a higher one.
  void OnServed(bool limit_is_reached);

  // The provider said, in response to a request that was sent at `sent`, that there are too many.
  // Has no effect if that was before the limit was last lowered.
  void OnTooMany(Time sent, Time now);

 private:
  const double max_;
  double value_;
  Time lowered_ = Time::min();
};

}  // namespace rollcall::service
