// The gRPC service: checks each request and hands it to a call object. Called on gRPC's threads.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "rollcall/v1/participant_service.grpc.pb.h"
#include "service/access/access.h"
#include "service/metrics/call_monitor.h"
#include "service/query/query.h"
#include "service/rpc/call_options.h"
#include "service/rpc/running_calls.h"
#include "service/rpc/upstream_loops.h"
#include "service/upstream/upstream.h"

namespace rollcall::service {

// All methods take and return bytes instead of messages. Otherwise gRPC refuses a request that does
// not parse by itself, without a trace in log and metrics. A list call also serializes its
// responses on its event loop's thread.
using ParticipantServiceBase = v1::ParticipantService::WithRawCallbackMethod_ListParticipants<
    v1::ParticipantService::WithRawCallbackMethod_ListParticipantBatches<
        v1::ParticipantService::WithRawCallbackMethod_GetParticipant<
            v1::ParticipantService::Service>>>;

class ParticipantServiceImpl final : public ParticipantServiceBase {
 public:
  // Upstreams by name.
  using Upstreams = absl::flat_hash_map<std::string, std::unique_ptr<Upstream>>;

  // All must outlive the service and its server. `access` is null if there is no policy; then all
  // callers are admitted.
  ParticipantServiceImpl(const CallOptions& options, const Access* access,
                         const Upstreams& upstreams, UpstreamLoops& loops, RunningCalls& running,
                         CallMonitor& monitor)
      : options_(options),
        access_(access),
        upstreams_(upstreams),
        loops_(loops),
        running_(running),
        monitor_(monitor) {}

  grpc::ServerWriteReactor<grpc::ByteBuffer>* ListParticipants(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) override;

  grpc::ServerWriteReactor<grpc::ByteBuffer>* ListParticipantBatches(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) override;

  grpc::ServerUnaryReactor* GetParticipant(grpc::CallbackServerContext* context,
                                           const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response) override;

 private:
  // The call's context, without the policy's rules for its caller.
  CallContext ContextOf(grpc::CallbackServerContext& context) const;
  absl::Status Admit(const grpc::CallbackServerContext& context, CallContext& call) const;

  // `Request` is that of a list method.
  template <class Request>
  grpc::ServerWriteReactor<grpc::ByteBuffer>* List(CallMethod method,
                                                   grpc::CallbackServerContext& context,
                                                   const grpc::ByteBuffer& bytes);

  const CallOptions& options_;
  const Access* const access_;
  const Upstreams& upstreams_;
  UpstreamLoops& loops_;
  RunningCalls& running_;
  CallMonitor& monitor_;
};

}  // namespace rollcall::service
