// The gRPC service: checks each request and hands it to a call object. Called on gRPC's threads.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>

#include "rollcall/v1/participant_service.grpc.pb.h"
#include "service/config/config.h"
#include "service/rpc/upstream_loop.h"
#include "service/telemetry/telemetry.h"

namespace rollcall {

class ParticipantServiceImpl final : public v1::ParticipantService::CallbackService {
 public:
  // All must outlive the service and the server that it is registered with.
  ParticipantServiceImpl(const Config& config, UpstreamLoop& loop, Telemetry& telemetry)
      : config_(config), loop_(loop), telemetry_(telemetry) {}

  // From now on refuses calls, with SERVER_DRAINING.
  void Drain() { draining_ = true; }

  grpc::ServerWriteReactor<v1::ListParticipantsResponse>* ListParticipants(
      grpc::CallbackServerContext* context, const v1::ListParticipantsRequest* request) override;

  grpc::ServerUnaryReactor* GetParticipant(grpc::CallbackServerContext* context,
                                           const v1::GetParticipantRequest* request,
                                           v1::GetParticipantResponse* response) override;

 private:
  const Config& config_;
  UpstreamLoop& loop_;
  std::atomic<bool> draining_ = false;
  Telemetry& telemetry_;
};

}  // namespace rollcall
