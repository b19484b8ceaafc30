// The C++ client of rollcalld: lists that go on by themselves where a call breaks off, and single
// participants. A program makes one over a channel (rollcall/channel.h makes a good one) and uses
// it on any thread.
#pragma once

#include <grpcpp/channel.h>

#include <memory>

#include "absl/status/statusor.h"
#include "rollcall/call_options.h"
#include "rollcall/participant_range.h"
#include "rollcall/v1/participant.pb.h"
#include "rollcall/v1/participant_service.grpc.pb.h"

namespace rollcall {

// Errors carry the service's google.rpc details: rollcall/call_status.h says how to read them. No
// function throws. Copies share the channel.
class ParticipantClient {
 public:
  explicit ParticipantClient(const std::shared_ptr<grpc::Channel>& channel);

  // With a stub of the program's own, for example a mock. Not null.
  explicit ParticipantClient(std::shared_ptr<v1::ParticipantService::StubInterface> stub);

  // The list that `request` asks for. Nothing is sent before the range's begin(). The range may
  // outlive the client.
  ParticipantRange List(const v1::ListParticipantsRequest& request,
                        const CallOptions& options = {}) const;

  // One participant. Waits for it, and tries again as a list does.
  absl::StatusOr<v1::Participant> Get(const v1::GetParticipantRequest& request,
                                      const CallOptions& options = {}) const;

 private:
  std::shared_ptr<v1::ParticipantService::StubInterface> stub_;
};

}  // namespace rollcall
