// Converts errors to gRPC's form, in this one place. Thread-safe.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "service/trace/trace_context.h"

namespace rollcall::service {

// Adds the call's ids to the error's google.rpc details (RequestInfo and ErrorInfo), and serializes
// them as clients expect (grpc-status-details-bin). Drops details that would exceed the size of
// trailers that HTTP/2 peers accept.
grpc::Status ToGrpcStatus(const absl::Status& error, const TraceContext& trace);

}  // namespace rollcall::service
