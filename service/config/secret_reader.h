// Reads secrets, and the files that they and other values stand in. Used by those who read the
// configuration only.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/config/config.h"
#include "service/config/json_object_reader.h"
#include "service/config/secret.h"

namespace rollcall {

// Reads a whole file, but no more than one byte over `max_bytes`.
absl::StatusOr<std::string> ReadFile(const std::string& path, std::size_t max_bytes);

// A secret, wherever the configuration says that it stands. nullopt, noted unless the key is
// absent.
std::optional<Secret> ReadSecret(JsonObjectReader& reader, absl::string_view key,
                                 const Environment& env, Problems& problems);

}  // namespace rollcall
