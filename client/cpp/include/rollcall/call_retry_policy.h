// Which failed calls are retried, and how often. A program passes a prototype in CallOptions; each
// list and each Get clones it and uses the clone on the thread that makes the call.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace rollcall {

class CallRetryPolicy {
 public:
  virtual ~CallRetryPolicy() = default;

  // A policy with the same limits and no failures counted.
  virtual std::unique_ptr<CallRetryPolicy> Clone() const = 0;

  // Called after a call has failed: whether to call again after `wait`. `elapsed` is the time since
  // the list or Get began. Not called for failures that are final in any case: cancellation by the
  // caller, the caller's own deadline, a wait beyond that deadline, or a record without a resume
  // token. A DEADLINE_EXCEEDED passed to this is therefore the service's own time limit for a call
  // that has delivered records.
  virtual bool MayRetry(const absl::Status& failure, absl::Duration wait,
                        absl::Duration elapsed) = 0;

  // Called when a new record arrives after a failure.
  virtual void OnProgress() = 0;
};

// Limits of LimitedRetryPolicy.
struct RetryLimits {
  // Retries in a row without a new record. 0: never retry.
  int max_retries = 8;

  // No retry starts later than this after the list or Get began.
  absl::Duration max_time = absl::InfiniteDuration();

  // The longest wait that the service may ask for (google.rpc.RetryInfo). A failure that asks for
  // more is final.
  absl::Duration max_wait = absl::Minutes(1);
};

// Retries failures that are likely to pass when the call reaches another replica, or the same one
// later. If the error has the service's google.rpc.ErrorInfo with `retry` in its metadata, that
// decides, whatever the code and the reason:
//
//   resume, later   retried
//   no              final
//
// Otherwise, or if the value of `retry` is unknown, the code decides:
//
//   UNAVAILABLE, DEADLINE_EXCEEDED   always
//   CANCELLED                        always: a server that is killed reports it for its calls
//   RESOURCE_EXHAUSTED               if the service says when to retry (google.rpc.RetryInfo)
//   INTERNAL, UNKNOWN                if the error lacks the service's google.rpc.ErrorInfo: the
//                                    transport broke, for example by a stream reset
//
// All other codes are final, for example the PERMISSION_DENIED or UNIMPLEMENTED of a proxy, and the
// RESOURCE_EXHAUSTED of a message over the channel's size limit.
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
