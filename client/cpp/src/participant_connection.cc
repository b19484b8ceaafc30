#include "rollcall/participant_connection.h"

#include <grpcpp/client_context.h>

#include <utility>

#include "client/cpp/src/list_source.h"
#include "client/cpp/src/retry_loop.h"
#include "rollcall/v1/participant_service.grpc.pb.h"

namespace rollcall {
namespace {

class ChannelConnection final : public ParticipantConnection {
 public:
  explicit ChannelConnection(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::ParticipantService::NewStub(channel)) {}

  ParticipantRange List(const v1::ListParticipantsRequest& request,
                        const CallOptions& options) override {
    return ParticipantRange(std::make_unique<ListSource>(stub_, request, options));
  }

  absl::StatusOr<v1::Participant> Get(const v1::GetParticipantRequest& request,
                                      const CallOptions& options) override {
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

 private:
  const std::shared_ptr<v1::ParticipantService::StubInterface> stub_;
};

}  // namespace

std::shared_ptr<ParticipantConnection> MakeParticipantConnection(
    const std::shared_ptr<grpc::Channel>& channel) {
  return std::make_shared<ChannelConnection>(channel);
}

}  // namespace rollcall
