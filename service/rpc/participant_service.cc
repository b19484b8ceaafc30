#include "service/rpc/participant_service.h"

#include <utility>

#include "service/error/error.h"
#include "service/query/query.h"
#include "service/rpc/get_call.h"
#include "service/rpc/grpc_status.h"
#include "service/rpc/list_call.h"

namespace rollcall {
namespace {

// The call of a request that is refused.
class RefusedList final : public grpc::ServerWriteReactor<v1::ListParticipantsResponse> {
 public:
  explicit RefusedList(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

absl::Status Draining() {
  return MakeError(v1::ERROR_REASON_SERVER_DRAINING,
                   "this replica is shutting down; the same call succeeds on another");
}

}  // namespace

grpc::ServerWriteReactor<v1::ListParticipantsResponse>* ParticipantServiceImpl::ListParticipants(
    grpc::CallbackServerContext* context, const v1::ListParticipantsRequest* request) {
  auto query = CheckRequest(*request, config_, Deadline(context->deadline()));
  if (!query.ok()) return new RefusedList(query.status());
  if (draining_) return new RefusedList(Draining());
  ParticipantMonitor& monitor = telemetry_.participants(query->upstream->name);
  return ListCall::Start(*context, *std::move(query), loop_, config_, monitor);
}

grpc::ServerUnaryReactor* ParticipantServiceImpl::GetParticipant(
    grpc::CallbackServerContext* context, const v1::GetParticipantRequest* request,
    v1::GetParticipantResponse* response) {
  auto query = CheckRequest(*request, config_, Deadline(context->deadline()));
  if (!query.ok() || draining_) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(query.ok() ? Draining() : query.status()));
    return reactor;
  }
  ParticipantMonitor& monitor = telemetry_.participants(query->upstream->name);
  return GetCall::Start(*std::move(query), *response, loop_, config_, monitor);
}

}  // namespace rollcall
