// One GetParticipant call.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>

#include "absl/status/status.h"
#include "rollcall/v1/participant_service.pb.h"
#include "service/query/query.h"
#include "service/rpc/call_handle.h"
#include "service/rpc/call_options.h"
#include "service/rpc/upstream_call.h"
#include "service/rpc/upstream_loops.h"
#include "service/upstream/participant_fetch.h"
#include "service/upstream/upstream.h"

namespace rollcall::service {

class GetCall final : public grpc::ServerUnaryReactor, private UpstreamCall {
 public:
  // Starts the call, or refuses it. The result belongs to gRPC until its OnDone(). All arguments
  // but `query` and `report` must outlive the call.
  static GetCall* Start(grpc::CallbackServerContext& context, GetQuery query,
                        std::unique_ptr<CallReport> report, grpc::ByteBuffer& response,
                        Upstream& upstream, UpstreamLoop& loop, RunningCalls& running,
                        const CallOptions& options);

  void OnCancel() override { OnCallCancelled(); }
  void OnDone() override { OnCallDone(); }

 private:
  GetCall(grpc::CallbackServerContext& context, const CallContext& call,
          std::unique_ptr<CallReport> report, grpc::ByteBuffer& response, UpstreamLoop& loop,
          RunningCalls& running, std::chrono::milliseconds caller_stall)
      : UpstreamCall(std::move(report), loop.scheduler(), running, call, caller_stall),
        loop_(loop),
        handle_(context),
        response_(response) {}

  RunningCall Describe() const override { return report_->Describe(0); }
  void Stop(const absl::Status& reason) override;
  void Cancel() override { handle_.Cancel(); }
  StallDetector::Progress Progress() const override { return {0, ended_}; }
  bool HasEnded() const override { return ended_; }
  void End(const absl::Status& status, const CallTotals& totals);

  const LoopLease loop_;
  CallHandle handle_;
  grpc::ByteBuffer& response_;  // owned by gRPC; filled before Finish()

  // Accessed on the loop's thread only.
  v1::GetParticipantResponse message_;
  std::unique_ptr<ParticipantFetch> fetch_;
  bool ended_ = false;
};

}  // namespace rollcall::service
