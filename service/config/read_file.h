// Reads files that the operator names: the configuration and what it points to. Used when these are
// read, and again where they change, on any thread.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rollcall {

// Reads a whole file, which may be a pipe. One that is longer than `max_bytes` is an error:
// INVALID_ARGUMENT. Errors do not name the path.
absl::StatusOr<std::string> ReadFile(const std::string& path, std::size_t max_bytes);

// The same of a regular file only: what would keep its reader waiting, or never end, is an error.
// For files that are read again while the service runs.
absl::StatusOr<std::string> ReadRegularFile(const std::string& path, std::size_t max_bytes);

// The error with the path before each line of its text, since each stands for itself in a log.
absl::Status AtPath(const std::string& path, const absl::Status& error);

}  // namespace rollcall
