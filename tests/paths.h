// Where tests find files of this repository and of its build. These paths differ between clones, so
// only one small source contains them, and a compiler cache can share all others.
#pragma once

#include <string>
#include <string_view>

namespace rollcall {

// The absolute path of a file whose path is relative to the repository.
std::string SourcePath(std::string_view path);

// The absolute path of a file whose path is relative to the build folder, for example
// bin/rollcalld.
std::string BuildPath(std::string_view path);

}  // namespace rollcall
