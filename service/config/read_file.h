// Reads files that the operator names: the configuration and what it points to. Used when these are
// read, and again where they change, on any thread.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace rollcall {

// Reads a whole file, but no more than one byte over `max_bytes`. Errors do not name the path.
absl::StatusOr<std::string> ReadFile(const std::string& path, std::size_t max_bytes);

}  // namespace rollcall
