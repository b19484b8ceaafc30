// Reads files that the operator names: the configuration, and the files it refers to. Any thread
// may read.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rollcall::service {

// Reads a whole file, which may be a pipe. INVALID_ARGUMENT if it is longer than `max_bytes`.
// Errors do not name the path.
absl::StatusOr<std::string> ReadFile(const std::string& path, std::size_t max_bytes);

// The same for a regular file. Any other kind is an error, because reading it could block or never
// end. For files that are read again while the service runs.
absl::StatusOr<std::string> ReadRegularFile(const std::string& path, std::size_t max_bytes);

// The error with the path before each line of its text, because a log shows each line by itself.
absl::Status AtPath(const std::string& path, const absl::Status& error);

}  // namespace rollcall::service
