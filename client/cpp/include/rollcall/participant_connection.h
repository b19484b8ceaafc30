// The interface between ParticipantClient and the service. Tests of programs replace it, for
// example by rollcall/mocks/mock_participant_connection.h.
#pragma once

#include <grpcpp/channel.h>

#include <memory>

#include "absl/status/statusor.h"
#include "rollcall/call_options.h"
#include "rollcall/participant_range.h"
#include "rollcall/v1/participant.pb.h"
#include "rollcall/v1/participant_service.pb.h"

namespace rollcall {

// Implementations must be thread-safe.
class ParticipantConnection {
 public:
  virtual ~ParticipantConnection() = default;

  // The list that `request` asks for. The range may outlive the connection.
  virtual ParticipantRange List(const v1::ListParticipantsRequest& request,
                                const CallOptions& options) = 0;

  // One participant. Blocks until it has arrived or the call has failed.
  virtual absl::StatusOr<v1::Participant> Get(const v1::GetParticipantRequest& request,
                                              const CallOptions& options) = 0;
};

// Calls the service over `channel`, with the retries and resumption that ParticipantClient and
// ParticipantRange describe.
//
// The channel should come from MakeChannel(), or have the arguments of ApplyChannelOptions(). On
// other channels gRPC may retry as well, if their service config has a retryPolicy; each attempt of
// the connection can then become several.
std::shared_ptr<ParticipantConnection> MakeParticipantConnection(
    const std::shared_ptr<grpc::Channel>& channel);

}  // namespace rollcall
