// One GetParticipant call: the gRPC side of it. Works upstream on an event loop's thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "absl/status/status.h"
#include "rollcall/v1/participant_service.pb.h"
#include "service/query/query.h"
#include "service/rpc/upstream_loop.h"
#include "service/telemetry/participant_monitor.h"
#include "service/upstream/participant_fetch.h"

namespace rollcall {

class GetCall final : public grpc::ServerUnaryReactor {
 public:
  // Begins the call. The result is gRPC's until its OnDone(). All arguments but `query` outlive the
  // call.
  static GetCall* Start(GetQuery query, v1::GetParticipantResponse& response, UpstreamLoop& loop,
                        const Config& config, ParticipantMonitor& monitor);

  void OnCancel() override;
  void OnDone() override;

 private:
  GetCall(v1::GetParticipantResponse& response, UpstreamLoop& loop)
      : response_(response), loop_(loop) {}

  void End(const absl::Status& status);

  v1::GetParticipantResponse& response_;
  UpstreamLoop& loop_;
  std::shared_ptr<GetCall> self_;  // until gRPC and the loop are both done with it

  // Of the loop's thread.
  std::unique_ptr<ParticipantFetch> fetch_;
  bool ended_ = false;
};

}  // namespace rollcall
