// Reads secrets from where the configuration says they are: in the file itself, in an environment
// variable, or in a file of their own.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "service/environment/environment.h"
#include "service/json/json_object_reader.h"
#include "service/secrets/current_secret.h"

namespace rollcall::service {

inline constexpr absl::string_view kSecretForm =
    "a string, {\"env\": \"NAME\"} or {\"file\": \"/path\"}";

// nullopt if the key is absent or wrong; a wrong value adds a problem. If the secret is in a file
// of its own, the result names the file (secret_watch.h follows it).
std::optional<CurrentSecret> ReadCurrentSecret(JsonObjectReader& reader, absl::string_view key,
                                               const Environment& env, Problems& problems);

}  // namespace rollcall::service
