#include "rollcall/participant_client.h"

#include <utility>

namespace rollcall {

ParticipantClient::ParticipantClient(const std::shared_ptr<grpc::Channel>& channel)
    : connection_(MakeParticipantConnection(channel)) {}

ParticipantClient::ParticipantClient(std::shared_ptr<ParticipantConnection> connection)
    : connection_(std::move(connection)) {}

ParticipantRange ParticipantClient::List(const v1::ListParticipantsRequest& request,
                                         const CallOptions& options) const {
  return connection_->List(request, options);
}

absl::StatusOr<v1::Participant> ParticipantClient::Get(const v1::GetParticipantRequest& request,
                                                       const CallOptions& options) const {
  return connection_->Get(request, options);
}

}  // namespace rollcall
