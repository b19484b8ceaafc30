#include "service/rpc/participant_service.h"

#include <utility>
#include <vector>

#include "service/error/error.h"
#include "service/rpc/caller.h"
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

}  // namespace

// Who makes the call, as far as that shows. An error where the call may not be made.
absl::Status ParticipantServiceImpl::Admit(const grpc::CallbackServerContext& context,
                                           CallContext& call) const {
  const Credentials credentials = CredentialsOf(context);
  call.caller = NameOf(credentials, context);
  if (access_ == nullptr) return absl::OkStatus();
  auto rules = access_->Admit(credentials);
  if (!rules.ok()) return rules.status();
  call.rules = *std::move(rules);
  call.caller = call.rules->name;
  return absl::OkStatus();
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* ParticipantServiceImpl::ListParticipants(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes) {
  const TraceContext trace = TraceOf(*context);
  CallContext call{Deadline(context->deadline(), config_.deadline), "", trace, nullptr};
  if (absl::Status refusal = Admit(*context, call); !refusal.ok()) {
    return new RefusedList(refusal, trace);
  }
  v1::ListParticipantsRequest request;
  grpc::ByteBuffer copy = *bytes;  // reading empties it
  if (!grpc::SerializationTraits<v1::ListParticipantsRequest>::Deserialize(&copy, &request).ok()) {
    return new RefusedList(MakeError(v1::ERROR_REASON_INVALID_REQUEST,
                                     "the request is not a ListParticipantsRequest message"),
                           trace);
  }
  auto query = CheckRequest(request, config_, std::move(call));
  if (!query.ok()) return new RefusedList(query.status(), trace);
  Upstream& upstream = *upstreams_.at(query->upstream->name);
  return ListCall::Start(*context, *std::move(query), upstream, loops_.Pick(), running_, config_);
}

grpc::ServerUnaryReactor* ParticipantServiceImpl::GetParticipant(
    grpc::CallbackServerContext* context, const v1::GetParticipantRequest* request,
    v1::GetParticipantResponse* response) {
  const TraceContext trace = TraceOf(*context);
  const auto refused = [&](const absl::Status& refusal) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(refusal, trace));
    return reactor;
  };
  CallContext call{Deadline(context->deadline(), config_.deadline), "", trace, nullptr};
  if (absl::Status refusal = Admit(*context, call); !refusal.ok()) return refused(refusal);
  auto query = CheckRequest(*request, config_, std::move(call));
  if (!query.ok()) return refused(query.status());
  Upstream& upstream = *upstreams_.at(query->upstream->name);
  return GetCall::Start(*std::move(query), *response, upstream, loops_.Pick(), running_, config_);
}

}  // namespace rollcall
