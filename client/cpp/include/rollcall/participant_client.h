// The C++ client of rollcalld: lists that resume when a call breaks off, and single participants.
// Thread-safe. The short way is
//
//   rollcall::ParticipantClient client(rollcall::MakeChannel("localhost:50051"));
#pragma once

#include <grpcpp/channel.h>

#include <memory>

#include "absl/status/statusor.h"
#include "rollcall/call_options.h"
#include "rollcall/participant_connection.h"
#include "rollcall/participant_range.h"
#include "rollcall/v1/participant.pb.h"
#include "rollcall/v1/participant_service.pb.h"

namespace rollcall {

// Errors carry the service's google.rpc details, which rollcall/call_status.h reads. No function
// throws. Copies share the connection.
class ParticipantClient {
 public:
  // Over a channel of MakeChannel(), or one with the arguments of ApplyChannelOptions(): see
  // MakeParticipantConnection().
  explicit ParticipantClient(const std::shared_ptr<grpc::Channel>& channel);

  // With a connection of the program's own, for example a mock. Not null.
  explicit ParticipantClient(std::shared_ptr<ParticipantConnection> connection);

  // The list that `request` asks for, except that the client always asks for resume tokens. Sends
  // nothing before the range's begin(). The range may outlive the client.
  ParticipantRange List(const v1::ListParticipantsRequest& request,
                        const CallOptions& options = {}) const;

  // One participant. Blocks until it has arrived or the call has failed; retries like a list.
  absl::StatusOr<v1::Participant> Get(const v1::GetParticipantRequest& request,
                                      const CallOptions& options = {}) const;

 private:
  std::shared_ptr<ParticipantConnection> connection_;
};

}  // namespace rollcall
