#include "service/rpc/get_call.h"

#include <utility>

#include "rollcall/v1/participant_service.grpc.pb.h"  // lets gRPC serialize messages
#include "service/rpc/grpc_status.h"

namespace rollcall::service {

GetCall* GetCall::Start(grpc::CallbackServerContext& context, GetQuery query,
                        std::unique_ptr<CallReport> report, grpc::ByteBuffer& response,
                        Upstream& upstream, UpstreamLoop& loop, RunningCalls& running,
                        const CallOptions& options) {
  auto* const call = new GetCall(context, query.call, std::move(report), response, loop, running,
                                 options.caller_stall);
  const int max_calls = query.call.max_calls;
  absl::Status refusal =
      call->Begin(max_calls, [call, &upstream, &options, query = std::move(query)]() mutable {
        call->fetch_ = std::make_unique<ParticipantFetch>(
            call->loop_->transport(), call->loop_->decoder_scratch(), options.read, upstream,
            std::move(query), *call->message_.mutable_participant(),
            [call](const absl::Status& status, const CallTotals& totals) {
              call->End(status, totals);
            });
      });
  if (!refusal.ok()) {
    call->ended_ = true;
    call->Finish(ToGrpcStatus(refusal, call->trace_));
  }
  return call;
}

void GetCall::Stop(const absl::Status& reason) {
  End(reason, fetch_ == nullptr ? CallTotals() : fetch_->totals());
}

void GetCall::End(const absl::Status& status, const CallTotals& totals) {
  if (ended_) return;
  ended_ = true;
  absl::Status outcome = status;
  bool own = false;
  if (status.ok() &&
      !grpc::SerializationTraits<v1::GetParticipantResponse>::Serialize(message_, &response_, &own)
           .ok()) {
    outcome = absl::InternalError("the participant cannot be serialized");
  }
  ReportEnd(outcome, totals);
  message_ = {};  // gRPC may hold the response for long, and a message takes several times as much
  if (fetch_ != nullptr) fetch_->Cancel();
  scheduler_.DeleteLater(std::move(fetch_));
  Finish(ToGrpcStatus(outcome, trace_));
}

}  // namespace rollcall::service
