// How long to wait before a call is made again. A program hands a prototype in by CallOptions; each
// list and each Get has a copy of its own, used on the thread that makes the call.
#pragma once

#include <functional>
#include <memory>

#include "absl/time/time.h"

namespace rollcall {

class BackoffPolicy {
 public:
  virtual ~BackoffPolicy() = default;

  // A policy with the same settings to which nothing has happened yet.
  virtual std::unique_ptr<BackoffPolicy> Clone() const = 0;

  // The wait after one more failure, 0 or more.
  virtual absl::Duration NextWait() = 0;

  // A new record has come since the last failure.
  virtual void OnProgress() = 0;
};

// How ExponentialBackoff grows.
struct BackoffSettings {
  // The longest wait after a first failure, and after any.
  absl::Duration initial = absl::Milliseconds(200);
  absl::Duration max = absl::Seconds(5);

  // By how much the longest wait grows with each failure. At least 1.
  double factor = 2;
};

// Waits anything between nothing and a limit that grows with each failure, so that callers who
// failed together do not come back together.
class ExponentialBackoff final : public BackoffPolicy {
 public:
  // Gives a number from 0 up to but not 1.
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
