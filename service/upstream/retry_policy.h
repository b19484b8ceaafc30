// When and how soon a request to a provider is tried again. Time and chance are handed in, so that
// tests need neither. One per call.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "service/config/config.h"

namespace rollcall {

// From 0 up to but not 1, by this thread's generator.
double RandomFraction();

// Whether a request that failed so should be sent again on a new connection: the others that were
// idle with a broken one may be broken, too.
bool NeedsNewConnection(const absl::Status& failure);

class RetryPolicy {
 public:
  // Gives a number from 0 up to but not 1.
  using Random = std::function<double()>;

  RetryPolicy(const RetrySettings& settings, Random random);

  // Something new has come, so that the next failure is a first one again.
  void Progress() { failures_ = 0; }

  // How long to wait before the next attempt after this failure; nothing where another attempt
  // cannot help, where there were enough, or where it could not begin within `time_left`. A wait
  // that the provider asked for (RetryInfo) is kept where it is longer than ours and at most
  // `max_backoff`, else there is no other attempt; an open circuit is waited for in any case.
  std::optional<std::chrono::milliseconds> AfterFailure(const absl::Status& failure,
                                                        std::chrono::milliseconds time_left);

 private:
  const RetrySettings settings_;
  const Random random_;
  int failures_ = 0;
};

}  // namespace rollcall
