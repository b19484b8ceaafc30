#include "service/rpc/participant_service.h"

#include <algorithm>
#include <utility>

#include "service/error/error.h"
#include "service/query/query.h"
#include "service/rpc/get_call.h"
#include "service/rpc/grpc_status.h"
#include "service/rpc/list_call.h"

namespace rollcall {
namespace {

// The call of a request that is refused.
class RefusedList final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  explicit RefusedList(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

// Who a call comes from, for fairness between callers: the address without the port, since one
// caller may have many connections.
CallContext ContextOf(const grpc::CallbackServerContext& context, const Config& config) {
  std::string peer = context.peer();
  peer.resize(std::min(peer.size(), peer.rfind(':')));
  return {Deadline(context.deadline(), config.deadline), std::move(peer)};
}

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* ParticipantServiceImpl::ListParticipants(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes) {
  v1::ListParticipantsRequest request;
  grpc::ByteBuffer copy = *bytes;  // reading empties it
  if (!grpc::SerializationTraits<v1::ListParticipantsRequest>::Deserialize(&copy, &request).ok()) {
    return new RefusedList(MakeError(v1::ERROR_REASON_INVALID_REQUEST,
                                     "the request is not a ListParticipantsRequest message"));
  }
  auto query = CheckRequest(request, config_, ContextOf(*context, config_));
  if (!query.ok()) return new RefusedList(query.status());
  Upstream& upstream = *upstreams_.at(query->upstream->name);
  return ListCall::Start(*context, *std::move(query), upstream, loops_.Pick(), running_, config_);
}

grpc::ServerUnaryReactor* ParticipantServiceImpl::GetParticipant(
    grpc::CallbackServerContext* context, const v1::GetParticipantRequest* request,
    v1::GetParticipantResponse* response) {
  auto query = CheckRequest(*request, config_, ContextOf(*context, config_));
  if (!query.ok()) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(query.status()));
    return reactor;
  }
  Upstream& upstream = *upstreams_.at(query->upstream->name);
  return GetCall::Start(*std::move(query), *response, upstream, loops_.Pick(), running_, config_);
}

}  // namespace rollcall
