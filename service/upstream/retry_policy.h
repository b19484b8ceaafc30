// Decides whether and when a failed request is retried: exponential backoff with full jitter. Time
// and randomness are passed in, so that tests control them. One per call.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "absl/status/status.h"

namespace rollcall::service {

// How often and how soon a failed request is sent again.
struct RetryOptions {
  // Attempts in a row without progress; 1 is to try only once.
  int max_attempts = 5;
  // The first wait is a random part of `initial_backoff`, which doubles with each failure up to
  // `max_backoff`.
  std::chrono::milliseconds initial_backoff = std::chrono::milliseconds(200);
  std::chrono::milliseconds max_backoff = std::chrono::seconds(10);
  // Attempts at one page, also with progress: a page that always breaks after a few new records
  // would be fetched forever.
  int max_attempts_per_page = 50;
};

// A random number in [0, 1). On any thread.
double RandomFraction();

// Whether a request that failed in this way should be retried on a new connection, because other
// idle connections may be broken as well.
bool NeedsNewConnection(const absl::Status& failure);

class RetryPolicy {
 public:
  // Returns a number in [0, 1).
  using Random = std::function<double()>;

  RetryPolicy(const RetryOptions& settings, Random random);

  // The call has made progress: resets the count of failures.
  void Progress() { failures_ = 0; }

  // Another page begins.
  void BeginPage() { failures_of_page_ = 0; }

  // Whether the last failure was the last that its page may have.
  bool page_is_exhausted() const { return failures_of_page_ >= settings_.max_attempts_per_page; }

  // How long to wait before the next attempt after this failure. Nothing if the failure is
  // permanent, if the attempts are used up, or if the wait would exceed `time_left`. The wait is at
  // least what the failure's RetryInfo asks for; if that is longer than `max_backoff`, there is no
  // other attempt, unless the circuit breaker is what asks.
  std::optional<std::chrono::milliseconds> AfterFailure(const absl::Status& failure,
                                                        std::chrono::milliseconds time_left);

 private:
  const RetryOptions settings_;
  const Random random_;
  int failures_ = 0;
  int failures_of_page_ = 0;
};

}  // namespace rollcall::service
