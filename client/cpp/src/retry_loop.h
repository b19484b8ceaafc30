// The attempts at one list or Get: what they share of the caller's options, and whether there is
// another. ParticipantClient and ParticipantRange make one for each, on the thread that calls.
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
  // The caller's time runs from now.
  explicit RetryLoop(const CallOptions& options);

  // Gives the context of the next call the request id and what is left of the time.
  void Prepare(grpc::ClientContext& context) const;

  // A record has come.
  void OnProgress();

  // What a call that failed means for the caller: OK where the next is to be made now, the wait for
  // it being over, else how the list or Get ends.
  absl::Status AfterFailure(const grpc::Status& failure);

  // How the list or Get ends with this failure, where no other call could help.
  absl::Status LastError(const grpc::Status& failure) const;

  // Not null.
  const std::shared_ptr<CallCanceller>& canceller() const { return canceller_; }

 private:
  bool IsMyDeadline() const;

  const std::unique_ptr<CallRetryPolicy> retry_policy_;
  const std::unique_ptr<BackoffPolicy> backoff_policy_;
  const std::shared_ptr<CallCanceller> canceller_;
  const std::shared_ptr<CallClock> clock_;
  const std::string request_id_;  // Empty where there is none to send.
  const absl::Duration timeout_;
  const absl::Duration start_;
  bool failed_ = false;    // No record has come since the last failure.
  bool progress_ = false;  // One has, or since the beginning.
};

}  // namespace rollcall
