// Forms of text values that more than one of the operator's files has: names and paths. Each has a
// check, and the words with which errors describe it.
#pragma once

#include "absl/strings/string_view.h"

namespace rollcall::service {

// The name of an upstream or of a caller.
inline constexpr absl::string_view kNameForm = "1 to 63 letters, digits, '-', '_' or '.'";
bool IsName(absl::string_view text);

inline constexpr absl::string_view kFilePathForm = "the path of a file";
inline constexpr absl::string_view kFolderPathForm = "the path of a folder";
bool IsPath(absl::string_view text);

}  // namespace rollcall::service
