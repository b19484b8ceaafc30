#include "service/rpc/get_call.h"

#include <utility>

#include "service/rpc/grpc_status.h"

namespace rollcall {

GetCall* GetCall::Start(GetQuery query, v1::GetParticipantResponse& response, UpstreamLoop& loop,
                        const Config& config, ParticipantMonitor& monitor) {
  std::shared_ptr<GetCall> call(new GetCall(response, loop));
  call->self_ = call;
  loop.Post([call, &config, &monitor, query = std::move(query)]() mutable {
    call->fetch_ = std::make_unique<ParticipantFetch>(
        call->loop_.client(), config, std::move(query), monitor,
        *call->response_.mutable_participant(),
        // The call owns the fetch, and so outlives it.
        [raw = call.get()](const absl::Status& status) { raw->End(status); });
  });
  return call.get();
}

void GetCall::OnCancel() {
  loop_.Post([call = self_] {
    call->fetch_.reset();
    call->End(absl::CancelledError("the caller ended the call"));
  });
}

void GetCall::OnDone() {
  UpstreamLoop& loop = loop_;
  loop.Post([call = std::move(self_)] { call->fetch_.reset(); });
}

void GetCall::End(const absl::Status& status) {
  if (ended_) return;
  ended_ = true;
  Finish(ToGrpcStatus(status));
}

}  // namespace rollcall
