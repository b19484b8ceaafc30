// The one place where errors become gRPC's. Used by the RPC handlers, on any thread.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace rollcall {

// `status` with its google.rpc details in the form that clients read (grpc-status-details-bin), cut
// down where they would be over what HTTP/2 peers take as trailers.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace rollcall
