#include "service/rpc/get_call.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "rollcall/v1/participant_service.grpc.pb.h"  // which lets gRPC serialize messages
#include "service/error/error.h"
#include "service/rpc/grpc_status.h"

namespace rollcall {

GetCall* GetCall::Start(GetQuery query, std::unique_ptr<CallReport> report,
                        grpc::ByteBuffer& response, Upstream& upstream, UpstreamLoop& loop,
                        RunningCalls& running, const Config& config) {
  std::shared_ptr<GetCall> call(
      new GetCall(std::move(report), response, loop, running, query.call.trace, query.call.caller));
  call->ExchangeSelf(call);
  if (absl::Status refusal = running.Begin(*call, query.call.caller, query.call.max_calls);
      !refusal.ok()) {
    call->ended_ = true;  // so that nothing else ends the call
    call->report_->End(refusal, {});
    call->Finish(ToGrpcStatus(refusal, call->trace_));
    return call.get();
  }
  loop.Post([call, &upstream, &config, query = std::move(query)]() mutable {
    // The call owns the fetch and the timer, and so outlives them.
    GetCall* const raw = call.get();
    if (raw->ended_) return;
    HttpClient& client = raw->loop_->client();
    raw->deadline_timer_ = client.loop().After(
        std::max(query.call.deadline.TimeLeft(), std::chrono::milliseconds(0)), [raw] {
          raw->deadline_timer_.reset();
          raw->Stop(MakeError(v1::ERROR_REASON_DEADLINE_EXCEEDED,
                              "the call took longer than its caller or the service allows"));
        });
    raw->fetch_ = std::make_unique<ParticipantFetch>(
        client, config, upstream, std::move(query), *raw->message_.mutable_participant(),
        [raw](const absl::Status& status, const CallTotals& totals) { raw->End(status, totals); });
  });
  return call.get();
}

void GetCall::EndWith(const absl::Status& status) {
  std::shared_ptr<GetCall> self;
  {
    const std::lock_guard lock(mutex_);
    self = self_;
  }
  loop_->Post([call = std::move(self), status] { call->Stop(status); });
}

void GetCall::OnCancel() { EndWith(absl::CancelledError("the caller ended the call")); }

void GetCall::OnDone() {
  std::shared_ptr<GetCall> self = ExchangeSelf(nullptr);
  UpstreamLoop& loop = *loop_;
  loop.Post([call = std::move(self)] {
    if (call->deadline_timer_) call->loop_->client().loop().Cancel(*call->deadline_timer_);
    call->fetch_.reset();
  });
}

std::shared_ptr<GetCall> GetCall::ExchangeSelf(std::shared_ptr<GetCall> self) {
  const std::lock_guard lock(mutex_);
  return std::exchange(self_, std::move(self));
}

// For a reason that is not the upstream's.
void GetCall::Stop(const absl::Status& status) {
  End(status, fetch_ == nullptr ? CallTotals() : fetch_->totals());
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
  report_->End(outcome, totals);
  fetch_.reset();
  running_.End(*this, caller_);  // before the caller can know, and call again
  Finish(ToGrpcStatus(outcome, trace_));
}

}  // namespace rollcall
