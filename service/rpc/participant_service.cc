#include "service/rpc/participant_service.h"

#include <grpc/support/time.h>

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "service/error/error.h"
#include "service/metrics/call_report.h"
#include "service/rpc/caller.h"
#include "service/rpc/get_call.h"
#include "service/rpc/grpc_status.h"
#include "service/rpc/list_call.h"

namespace rollcall::service {
namespace {

constexpr char kRequestIdHeader[] = "x-request-id";

// A refused list call.
class RefusedList final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  RefusedList(const absl::Status& status, const TraceContext& trace, CallReport& report) {
    report.End(status, {});
    Finish(ToGrpcStatus(status, trace));
  }
  void OnDone() override { delete this; }
};

// The deadline of the caller. gRPC's own conversion overflows for deadlines after the year 2262.
std::chrono::system_clock::time_point DeadlineOf(const grpc::CallbackServerContext& context) {
  using Time = std::chrono::system_clock::time_point;
  constexpr auto kLast =
      std::chrono::duration_cast<std::chrono::seconds>(Time::max().time_since_epoch());
  const gpr_timespec deadline = gpr_convert_clock_type(context.raw_deadline(), GPR_CLOCK_REALTIME);
  return deadline.tv_sec >= kLast.count() ? Time::max() : context.deadline();
}

std::vector<absl::string_view> HeaderOf(const grpc::CallbackServerContext& context,
                                        const char* name) {
  std::vector<absl::string_view> values;
  const auto [begin, end] = context.client_metadata().equal_range(name);
  for (auto it = begin; it != end; ++it) values.emplace_back(it->second.data(), it->second.size());
  return values;
}

// The ids of the call. The request id is also sent to the caller, in the response headers.
TraceContext TraceOf(grpc::CallbackServerContext& context) {
  TraceContext trace({.traceparent = HeaderOf(context, "traceparent"),
                      .tracestate = HeaderOf(context, "tracestate"),
                      .request_id = HeaderOf(context, kRequestIdHeader)});
  context.AddInitialMetadata(kRequestIdHeader, trace.request_id());
  return trace;
}

template <class Request>
absl::Status Parse(const grpc::ByteBuffer& bytes, Request& request) {
  grpc::ByteBuffer copy = bytes;  // reading empties it
  if (grpc::SerializationTraits<Request>::Deserialize(&copy, &request).ok()) {
    return absl::OkStatus();
  }
  return MakeError(
      v1::ERROR_REASON_INVALID_REQUEST,
      absl::StrCat("request is not a valid ", Request::descriptor()->name(), " message"));
}

std::unique_ptr<CallReport> ReportOf(CallMonitor& monitor, CallMethod method,
                                     const CallContext& context) {
  auto report = std::make_unique<CallReport>(monitor, method);
  report->SetCaller(context.caller);
  report->SetIds(context.trace.request_id(), context.trace.trace_id());
  return report;
}

// Reports what an unchecked request asks for. Its upstream is reported only if it is a configured
// one; otherwise it could be any text.
template <class Request>
void Describe(const Request& request, int asked, const ParticipantServiceImpl::Upstreams& upstreams,
              CallReport& report) {
  if (upstreams.contains(request.upstream())) report.SetUpstream(request.upstream());
  const auto* const field = Request::descriptor()->FindFieldByNumber(asked);
  if (field != nullptr) report.SetQuery(field->name());
}

const v1::ListParticipantsRequest& ListOf(const v1::ListParticipantsRequest& request) {
  return request;
}
const v1::ListParticipantsRequest& ListOf(const v1::ListParticipantBatchesRequest& request) {
  return request.list();
}

}  // namespace

CallContext ParticipantServiceImpl::ContextOf(grpc::CallbackServerContext& context) const {
  return {.deadline = Deadline(DeadlineOf(context), options_.deadline),
          .caller = "",
          .trace = TraceOf(context),
          .rules = nullptr,
          .max_calls = options_.max_calls_per_caller};
}

// Sets the caller of the call. An error if the caller is not admitted.
absl::Status ParticipantServiceImpl::Admit(const grpc::CallbackServerContext& context,
                                           CallContext& call) const {
  const Credentials credentials = CredentialsOf(context);
  call.caller = NameOf(credentials, context);
  if (!HasValidCertificate(context)) {
    return MakeError(v1::ERROR_REASON_CALLER_UNAUTHENTICATED,
                     "caller's certificate has expired or is not valid yet");
  }
  if (access_ == nullptr) return absl::OkStatus();
  auto rules = access_->Admit(credentials);
  if (!rules.ok()) {
    // The certificate may contain a name that the policy gives to another caller.
    call.caller = absl::StrCat("unknown:", call.caller);
    return rules.status();
  }
  call.rules = *std::move(rules);
  call.caller = call.rules->name;
  if (call.rules->max_calls) call.max_calls = *call.rules->max_calls;
  return absl::OkStatus();
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* ParticipantServiceImpl::ListParticipants(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return List<v1::ListParticipantsRequest>(CallMethod::kList, *context, *request);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* ParticipantServiceImpl::ListParticipantBatches(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return List<v1::ListParticipantBatchesRequest>(CallMethod::kListBatches, *context, *request);
}

template <class Request>
grpc::ServerWriteReactor<grpc::ByteBuffer>* ParticipantServiceImpl::List(
    CallMethod method, grpc::CallbackServerContext& context, const grpc::ByteBuffer& bytes) {
  CallContext call = ContextOf(context);
  const absl::Status refusal = Admit(context, call);
  auto report = ReportOf(monitor_, method, call);
  const auto refused = [&](const absl::Status& status) {
    return new RefusedList(status, call.trace, *report);
  };
  if (!refusal.ok()) return refused(refusal);
  Request request;
  if (absl::Status status = Parse(bytes, request); !status.ok()) return refused(status);
  const v1::ListParticipantsRequest& list = ListOf(request);
  Describe(list, list.query_case(), upstreams_, *report);
  auto checked = CheckRequest(request, options_.query, call);
  if (!checked.ok()) return refused(checked.status());
  const std::string& name = checked->query.account->name;
  report->SetUpstream(name);
  return ListCall::Start(context, *std::move(checked), std::move(report), *upstreams_.at(name),
                         loops_.Pick(), running_, options_);
}

grpc::ServerUnaryReactor* ParticipantServiceImpl::GetParticipant(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes,
    grpc::ByteBuffer* response) {
  CallContext call = ContextOf(*context);
  const absl::Status refusal = Admit(*context, call);
  auto report = ReportOf(monitor_, CallMethod::kGet, call);
  const auto refused = [&](const absl::Status& status) {
    report->End(status, {});
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(status, call.trace));
    return reactor;
  };
  if (!refusal.ok()) return refused(refusal);
  v1::GetParticipantRequest request;
  if (absl::Status status = Parse(*bytes, request); !status.ok()) return refused(status);
  Describe(request, request.participant_case(), upstreams_, *report);
  auto query = CheckRequest(request, options_.query, call);
  if (!query.ok()) return refused(query.status());
  Upstream& upstream = *upstreams_.at(query->account->name);
  report->SetUpstream(query->account->name);
  return GetCall::Start(*context, *std::move(query), std::move(report), *response, upstream,
                        loops_.Pick(), running_, options_);
}

}  // namespace rollcall::service
