// One GetParticipant call: the gRPC side of it. Works upstream on an event loop's thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "rollcall/v1/participant_service.pb.h"
#include "service/query/query.h"
#include "service/rpc/running_calls.h"
#include "service/rpc/upstream_loops.h"
#include "service/telemetry/call_report.h"
#include "service/upstream/participant_fetch.h"
#include "service/upstream/upstream.h"

namespace rollcall {

class GetCall final : public grpc::ServerUnaryReactor, private RunningCalls::Call {
 public:
  // Begins the call, or refuses it. The result is gRPC's until its OnDone(). All arguments but
  // `query` and `report` outlive the call.
  static GetCall* Start(GetQuery query, std::unique_ptr<CallReport> report,
                        grpc::ByteBuffer& response, Upstream& upstream, UpstreamLoop& loop,
                        RunningCalls& running, const Config& config);

  void OnCancel() override;
  void OnDone() override;

 private:
  GetCall(std::unique_ptr<CallReport> report, grpc::ByteBuffer& response, UpstreamLoop& loop,
          RunningCalls& running, TraceContext trace, std::string caller)
      : report_(std::move(report)),
        response_(response),
        loop_(loop),
        running_(running),
        trace_(std::move(trace)),
        caller_(std::move(caller)) {}

  void EndWith(const absl::Status& status) override;
  RunningCall Describe() const override { return report_->Describe(0); }
  void Stop(const absl::Status& status);
  void End(const absl::Status& status, const CallTotals& totals);
  std::shared_ptr<GetCall> ExchangeSelf(std::shared_ptr<GetCall> self);

  const std::unique_ptr<CallReport> report_;
  grpc::ByteBuffer& response_;  // gRPC's, to be filled before Finish()
  const LoopLease loop_;
  RunningCalls& running_;
  const TraceContext trace_;
  const std::string caller_;

  // Of the loop's thread.
  v1::GetParticipantResponse message_;
  std::unique_ptr<ParticipantFetch> fetch_;
  std::optional<EventLoop::TimerId> deadline_timer_;
  bool ended_ = false;  // set before the call gets there, too, where it is refused

  std::mutex mutex_;
  std::shared_ptr<GetCall> self_;  // guarded by mutex_; until gRPC is done with it
};

}  // namespace rollcall
