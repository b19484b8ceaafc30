// How long to wait before a retry. A program passes a prototype in CallOptions; each list and each
// Get clones it and uses the clone on the thread that makes the call.
#pragma once

#include <functional>
#include <memory>

#include "absl/time/time.h"

namespace rollcall {

class BackoffPolicy {
 public:
  virtual ~BackoffPolicy() = default;

  // A policy with the same settings and no failures counted.
  virtual std::unique_ptr<BackoffPolicy> Clone() const = 0;

  // The wait after another failure, 0 or more. The actual wait is at least the delay of the
  // failure's google.rpc.RetryInfo. If the service's advice is `later` without a RetryInfo, it is a
  // second longer.
  virtual absl::Duration NextWait() = 0;

  // Called when a new record arrives after a failure.
  virtual void OnProgress() = 0;
};

// Settings of ExponentialBackoff.
struct BackoffSettings {
  // The longest wait after the first failure, and after any failure.
  absl::Duration initial = absl::Milliseconds(200);
  absl::Duration max = absl::Seconds(5);

  // Factor by which the longest wait grows with each failure. At least 1.
  double factor = 2;
};

// Exponential backoff with full jitter: a random wait between 0 and a ceiling that grows with each
// failure, so that callers that failed together do not retry together.
class ExponentialBackoff final : public BackoffPolicy {
 public:
  // Returns a number from 0 (inclusive) to 1 (exclusive).
  using Random = std::function<double()>;

  explicit ExponentialBackoff(const BackoffSettings& settings = {});
  ExponentialBackoff(const BackoffSettings& settings, Random random);

  std::unique_ptr<BackoffPolicy> Clone() const override;
  absl::Duration NextWait() override;
  void OnProgress() override;

 private:
  const BackoffSettings settings_;
  const Random random_;
  absl::Duration ceiling_;
};

}  // namespace rollcall
