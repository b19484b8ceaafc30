#include "service/rpc/participant_service.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "service/error/error.h"
#include "service/query/query.h"
#include "service/rpc/get_call.h"
#include "service/rpc/grpc_status.h"
#include "service/rpc/list_call.h"

namespace rollcall {
namespace {

constexpr char kRequestIdHeader[] = "x-request-id";

// The call of a request that is refused.
class RefusedList final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  RefusedList(const absl::Status& status, const TraceContext& trace) {
    Finish(ToGrpcStatus(status, trace));
  }
  void OnDone() override { delete this; }
};

std::vector<absl::string_view> HeaderOf(const grpc::CallbackServerContext& context,
                                        const char* name) {
  std::vector<absl::string_view> values;
  const auto [begin, end] = context.client_metadata().equal_range(name);
  for (auto it = begin; it != end; ++it) values.emplace_back(it->second.data(), it->second.size());
  return values;
}

// By what the call is found again, which the caller is told with the head of the answer.
TraceContext TraceOf(grpc::CallbackServerContext& context) {
  TraceContext trace({.traceparent = HeaderOf(context, "traceparent"),
                      .tracestate = HeaderOf(context, "tracestate"),
                      .request_id = HeaderOf(context, kRequestIdHeader)});
  context.AddInitialMetadata(kRequestIdHeader, trace.request_id());
  return trace;
}

// Who a call comes from, for fairness between callers: the address without the port, since one
// caller may have many connections.
CallContext ContextOf(const grpc::CallbackServerContext& context, const Config& config,
                      TraceContext trace) {
  std::string peer = context.peer();
  peer.resize(std::min(peer.size(), peer.rfind(':')));
  return {Deadline(context.deadline(), config.deadline), std::move(peer), std::move(trace)};
}

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* ParticipantServiceImpl::ListParticipants(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes) {
  const TraceContext trace = TraceOf(*context);
  v1::ListParticipantsRequest request;
  grpc::ByteBuffer copy = *bytes;  // reading empties it
  if (!grpc::SerializationTraits<v1::ListParticipantsRequest>::Deserialize(&copy, &request).ok()) {
    return new RefusedList(MakeError(v1::ERROR_REASON_INVALID_REQUEST,
                                     "the request is not a ListParticipantsRequest message"),
                           trace);
  }
  auto query = CheckRequest(request, config_, ContextOf(*context, config_, trace));
  if (!query.ok()) return new RefusedList(query.status(), trace);
  Upstream& upstream = *upstreams_.at(query->upstream->name);
  return ListCall::Start(*context, *std::move(query), upstream, loops_.Pick(), running_, config_);
}

grpc::ServerUnaryReactor* ParticipantServiceImpl::GetParticipant(
    grpc::CallbackServerContext* context, const v1::GetParticipantRequest* request,
    v1::GetParticipantResponse* response) {
  const TraceContext trace = TraceOf(*context);
  auto query = CheckRequest(*request, config_, ContextOf(*context, config_, trace));
  if (!query.ok()) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(query.status(), trace));
    return reactor;
  }
  Upstream& upstream = *upstreams_.at(query->upstream->name);
  return GetCall::Start(*std::move(query), *response, upstream, loops_.Pick(), running_, config_);
}

}  // namespace rollcall
