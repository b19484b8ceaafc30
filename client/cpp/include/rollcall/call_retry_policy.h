// Which failures of a call are tried again, and how often. A program hands a prototype in by
// CallOptions; each list and each Get has a copy of its own, used on the thread that makes the
// call.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace rollcall {

class CallRetryPolicy {
 public:
  virtual ~CallRetryPolicy() = default;

  // A policy with the same limits to which nothing has happened yet.
  virtual std::unique_ptr<CallRetryPolicy> Clone() const = 0;

  // A call has failed. Whether to call again after `wait`, where `elapsed` has passed since the
  // list or Get began. Not asked about what has to end it anyway: Cancel(), the caller's own
  // deadline (so that a DEADLINE_EXCEEDED is of the service's longest call, after records came), a
  // wait beyond the deadline, a record without a resume token.
  virtual bool MayRetry(const absl::Status& failure, absl::Duration wait,
                        absl::Duration elapsed) = 0;

  // A new record has come since the last failure.
  virtual void OnProgress() = 0;
};

// What LimitedRetryPolicy allows.
struct RetryLimits {
  // How often to call again with no new record between. 0: never.
  int max_retries = 8;

  // No call begins later than this after the list or Get began, however well it goes.
  absl::Duration max_time = absl::InfiniteDuration();

  // The longest wait that the service may ask for (RetryInfo). A failure that asks for more is
  // final.
  absl::Duration max_wait = absl::Minutes(1);
};

// Tries again what passes when another replica, or the same one restarted, is asked: UNAVAILABLE,
// and CANCELLED, which a server that is ended by force may say. And what passes with time:
// RESOURCE_EXHAUSTED where the service says when to try again (RetryInfo).
class LimitedRetryPolicy final : public CallRetryPolicy {
 public:
  explicit LimitedRetryPolicy(const RetryLimits& limits = {}) : limits_(limits) {}

  std::unique_ptr<CallRetryPolicy> Clone() const override;
  bool MayRetry(const absl::Status& failure, absl::Duration wait, absl::Duration elapsed) override;
  void OnProgress() override { retries_ = 0; }

 private:
  const RetryLimits limits_;
  int retries_ = 0;
};

}  // namespace rollcall
