// When and how soon a request to a provider is tried again. Time and chance are handed in, so that
// tests need neither. One per call.
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

// From 0 up to but not 1, by this thread's generator.
double RandomFraction();

// Whether a request that failed so should be sent again on a new connection: the others that were
// idle with a broken one may be broken, too.
bool NeedsNewConnection(const absl::Status& failure);

class RetryPolicy {
 public:
  // Gives a number from 0 up to but not 1.
  using Random = std::function<double()>;

  RetryPolicy(const RetryOptions& settings, Random random);

  // Something new has come, so that the next failure is a first one again.
  void Progress() { failures_ = 0; }

  // Another page begins.
  void BeginPage() { failures_of_page_ = 0; }

  // Whether the last failure was the last that its page may have.
  bool page_is_exhausted() const { return failures_of_page_ >= settings_.max_attempts_per_page; }

  // How long to wait before the next attempt after this failure; nothing where another attempt
  // cannot help, where there were enough, or where it could not begin within `time_left`. A wait
  // that the provider asked for (RetryInfo) is kept where it is longer than ours and at most
  // `max_backoff`, else there is no other attempt; an open circuit is waited for in any case.
  std::optional<std::chrono::milliseconds> AfterFailure(const absl::Status& failure,
                                                        std::chrono::milliseconds time_left);

 private:
  const RetryOptions settings_;
  const Random random_;
  int failures_ = 0;
  int failures_of_page_ = 0;
};

}  // namespace rollcall::service
