// How many requests an account is asked at once: as many as allowed at first, half as many each
// time the provider says that this is too many, and slowly more again while it does not (additive
// increase, multiplicative decrease). Used by the request gate, under its lock.
#pragma once

#include <chrono>

namespace rollcall {

class InFlightLimit {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit InFlightLimit(int max) : max_(max), value_(max) {}

  // At least 1.
  int value() const { return static_cast<int>(value_); }

  // A request was served. Once as many were as go out at once, one more goes out; but only where
  // `limit_is_reached`, since else nothing was learned about more.
  void OnServed(bool limit_is_reached);

  // The provider said, to a request that went out at `sent`, that there are too many. Those that
  // went out before the last time this was heard say nothing new.
  void OnTooMany(Time sent, Time now);

 private:
  const double max_;
  double value_;
  Time lowered_ = Time::min();
};

}  // namespace rollcall
