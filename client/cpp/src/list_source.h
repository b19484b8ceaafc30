// The elements of a ParticipantRange as the service sends them, over as many calls as needed.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "client/cpp/src/retry_loop.h"
#include "rollcall/participant_range.h"
#include "rollcall/v1/participant_service.grpc.pb.h"

namespace rollcall {

class ListSource final : public ParticipantRange::Source {
 public:
  ListSource(std::shared_ptr<v1::ParticipantService::StubInterface> stub,
             const v1::ListParticipantsRequest& request, const CallOptions& options);
  ~ListSource() override;

  bool Next(absl::StatusOr<v1::Participant>& element) override;
  const std::string& resume_token() const override { return resume_token_; }
  const ParticipantRange::Totals& totals() const override { return totals_; }
  std::shared_ptr<CallCanceller> canceller() const override { return loop_.canceller(); }

 private:
  struct Call;

  void StartCall();
  void Take(absl::StatusOr<v1::Participant>& element);

  // `records` is set to the number of records that the service says it sent in this call.
  grpc::Status EndCall(std::optional<int64_t>& records);

  // Cancels the call in progress, if there is one.
  void AbandonCall();

  bool IsLimitReached() const { return limit_ > 0 && received_ >= limit_; }

  // Whether another call could continue after the last record.
  bool CanResume() const { return received_ == 0 || !resume_token_.empty(); }

  const std::shared_ptr<v1::ParticipantService::StubInterface> stub_;
  const int64_t limit_;                  // Of the caller's request. 0: none.
  v1::ListParticipantsRequest request_;  // Of the next call.
  RetryLoop loop_;
  std::unique_ptr<Call> call_;  // In progress, or null.
  v1::ListParticipantsResponse response_;
  std::string resume_token_;
  int64_t received_ = 0;
  ParticipantRange::Totals totals_;
};

}  // namespace rollcall
