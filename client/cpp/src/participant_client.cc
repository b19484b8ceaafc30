#include "rollcall/participant_client.h"

#include <grpcpp/client_context.h>

#include <utility>

#include "client/cpp/src/retry_loop.h"

namespace rollcall {

ParticipantClient::ParticipantClient(const std::shared_ptr<grpc::Channel>& channel)
    : stub_(v1::ParticipantService::NewStub(channel)) {}

ParticipantClient::ParticipantClient(std::shared_ptr<v1::ParticipantService::StubInterface> stub)
    : stub_(std::move(stub)) {}

ParticipantRange ParticipantClient::List(const v1::ListParticipantsRequest& request,
                                         const CallOptions& options) const {
  return ParticipantRange(stub_, request, options);
}

absl::StatusOr<v1::Participant> ParticipantClient::Get(const v1::GetParticipantRequest& request,
                                                       const CallOptions& options) const {
  RetryLoop loop(options);
  while (true) {
    grpc::ClientContext context;
    loop.Prepare(context);
    const CallCanceller::Watch watch(*loop.canceller(), [&context] { context.TryCancel(); });
    v1::GetParticipantResponse response;
    const grpc::Status status = stub_->GetParticipant(&context, request, &response);
    if (status.ok()) return std::move(*response.mutable_participant());
    if (absl::Status end = loop.AfterFailure(status); !end.ok()) return end;
  }
}

}  // namespace rollcall
