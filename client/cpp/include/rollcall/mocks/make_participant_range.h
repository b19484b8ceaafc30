// Ranges of given participants for the tests of programs. They make no calls.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rollcall/call_canceller.h"
#include "rollcall/participant_range.h"
#include "rollcall/v1/participant.pb.h"
#include "rollcall/v1/participant_service.pb.h"

namespace rollcall::mocks {

namespace internal {

class ListOfResponses final : public ParticipantRange::Source {
 public:
  ListOfResponses(std::vector<v1::ListParticipantsResponse> responses, absl::Status status,
                  const ParticipantRange::Totals& totals)
      : responses_(std::move(responses)), status_(std::move(status)), totals_(totals) {}

  bool Next(absl::StatusOr<v1::Participant>& element) override {
    if (canceller_->cancelled()) {
      element = absl::CancelledError("cancelled by the caller");
      return true;
    }
    if (next_ < responses_.size()) {
      v1::ListParticipantsResponse& response = responses_[next_++];
      resume_token_ = response.resume_token();
      element = std::move(*response.mutable_participant());
      return true;
    }
    if (status_.ok()) return false;
    element = status_;
    return true;
  }

  const std::string& resume_token() const override { return resume_token_; }
  const ParticipantRange::Totals& totals() const override { return totals_; }
  std::shared_ptr<CallCanceller> canceller() const override { return canceller_; }

 private:
  std::vector<v1::ListParticipantsResponse> responses_;
  const absl::Status status_;
  const ParticipantRange::Totals totals_;
  const std::shared_ptr<CallCanceller> canceller_ = std::make_shared<CallCanceller>();
  std::string resume_token_;
  size_t next_ = 0;
};

}  // namespace internal

// Yields the participants of `responses` with their resume tokens, then `status` as an error unless
// it is OK. After Cancel(), the next element is CANCELLED.
inline ParticipantRange MakeResumableParticipantRange(
    std::vector<v1::ListParticipantsResponse> responses, absl::Status status = absl::OkStatus(),
    const ParticipantRange::Totals& totals = {}) {
  return ParticipantRange(
      std::make_unique<internal::ListOfResponses>(std::move(responses), std::move(status), totals));
}

// The same without resume tokens.
inline ParticipantRange MakeParticipantRange(std::vector<v1::Participant> participants,
                                             absl::Status status = absl::OkStatus()) {
  std::vector<v1::ListParticipantsResponse> responses(participants.size());
  for (size_t i = 0; i < participants.size(); ++i) {
    *responses[i].mutable_participant() = std::move(participants[i]);
  }
  return MakeResumableParticipantRange(std::move(responses), std::move(status));
}

}  // namespace rollcall::mocks
