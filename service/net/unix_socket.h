// Unix socket addresses ("unix:/run/rollcalld/socket"): programs on the same machine reach the
// service through them without a network.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rollcall::service {

// Whether the text is "unix:" and an absolute path that fits into a socket address.
bool IsUnixSocketAddress(absl::string_view text);

// UNAVAILABLE if another process listens on the address, or if its path is a file of another kind.
// A socket that no process listens on was left by one that crashed, and may be replaced. Call this
// before gRPC listens, which replaces any file. `address` must be a Unix socket address.
absl::Status CheckUnixSocketIsFree(absl::string_view address);

}  // namespace rollcall::service
