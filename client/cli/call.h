#pragma once

#include <grpcpp/support/status.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "client/cli/interrupt.h"
#include "rollcall/v1/participant_service.grpc.pb.h"

namespace rollcall {

// The counts that the service sends at the end of a list, by name without "rollcall-": "pages",
// "attempts", ...
using ListCounts = std::map<std::string, int64_t>;

// The one call of a command to rollcalld. Made and used by `RunCommand` on the main thread; an
// `Interrupt` may cancel the call from another.
class ParticipantCall {
 public:
  // `interrupt` must outlive this. Without `timeout` the call has no deadline.
  ParticipantCall(const std::string& server, std::optional<absl::Duration> timeout,
                  Interrupt& interrupt);

  // Hands each participant to `on_response` as it arrives. False from it cancels the call. `counts`
  // gets what the service sends of them, if it sends any.
  grpc::Status List(const v1::ListParticipantsRequest& request,
                    absl::FunctionRef<bool(const v1::ListParticipantsResponse&)> on_response,
                    ListCounts& counts);

  grpc::Status Get(const v1::GetParticipantRequest& request, v1::GetParticipantResponse& response);

 private:
  void Prepare(grpc::ClientContext& context) const;

  const std::unique_ptr<v1::ParticipantService::Stub> stub_;
  const std::optional<absl::Duration> timeout_;
  Interrupt& interrupt_;
};

}  // namespace rollcall
