// Reads secrets, wherever they stand. Used by those who read the configuration, and by those who
// watch the files of secrets.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "service/config/config.h"
#include "service/config/current_secret.h"
#include "service/config/json_object_reader.h"
#include "service/config/secret.h"

namespace rollcall {

// The text of a secret's file without the line breaks at its end, with which editors and `echo` end
// a file.
absl::string_view WithoutLineEnd(absl::string_view text);

// A secret, wherever the configuration says that it stands. nullopt, noted unless the key is
// absent.
std::optional<Secret> ReadSecret(JsonObjectReader& reader, absl::string_view key,
                                 const Environment& env, Problems& problems);

// The same of a secret that follows its file, where it stands in one.
std::optional<CurrentSecret> ReadCurrentSecret(JsonObjectReader& reader, absl::string_view key,
                                               const Environment& env, Problems& problems);

}  // namespace rollcall
