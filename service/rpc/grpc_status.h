// The one place where errors become gRPC's. Used by the RPC handlers, on any thread.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "service/trace/trace_context.h"

namespace rollcall {

// `status` of a call, with the call's ids among its google.rpc details (RequestInfo and ErrorInfo),
// and these in the form that clients read (grpc-status-details-bin), cut down where they would be
// over what HTTP/2 peers take as trailers.
grpc::Status ToGrpcStatus(const absl::Status& error, const TraceContext& trace);

}  // namespace rollcall
