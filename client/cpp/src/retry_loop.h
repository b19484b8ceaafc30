// The state that the attempts of one list or Get share, and the decision whether to make another.
// Used on the thread that calls.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "rollcall/call_options.h"

namespace rollcall {

class RetryLoop {
 public:
  // The timeout starts now.
  explicit RetryLoop(const CallOptions& options);

  // Sets the request id and the remaining time on the context of the next call.
  void Prepare(grpc::ClientContext& context) const;

  // A record has arrived.
  void OnProgress();

  // Called after a failed call. Returns OK after waiting for the backoff if another call is to be
  // made, otherwise the error with which the list or Get ends.
  absl::Status AfterFailure(const grpc::Status& failure);

  // The error with which the list or Get ends if this failure cannot be retried.
  absl::Status LastError(const grpc::Status& failure) const;

  // Not null.
  const std::shared_ptr<CallCanceller>& canceller() const { return canceller_; }

 private:
  bool IsCallersDeadline() const;

  const std::unique_ptr<CallRetryPolicy> retry_policy_;
  const std::unique_ptr<BackoffPolicy> backoff_policy_;
  const std::shared_ptr<CallCanceller> canceller_;
  const std::shared_ptr<CallClock> clock_;
  const std::string request_id_;  // Empty: none to send.
  const absl::Duration timeout_;
  const absl::Duration start_;
  bool failed_ = false;    // No record has arrived since the last failure.
  bool progress_ = false;  // A record has arrived since the last failure, or since the start.
};

}  // namespace rollcall
