// Addresses of sockets in the file system, which programs on the same machine reach without a
// network: "unix:/run/rollcalld/socket". Used where the operator's `listen` is read and served.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rollcall {

// Whether the text is "unix:" and an absolute path that is short enough for one.
bool IsUnixSocketAddress(absl::string_view text);

// What stands in the way of listening there: another process that does, or a file of another kind.
// A socket that nobody listens on is what a process left that crashed, and may be replaced. To be
// asked before gRPC listens, which replaces any. The address must be one.
absl::Status CheckUnixSocketIsFree(absl::string_view address);

}  // namespace rollcall
