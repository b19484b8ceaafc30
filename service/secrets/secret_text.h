// What the text of a secret must look like, in the configuration and in a file of its own.
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"

namespace rollcall::service {

inline constexpr std::size_t kMaxSecretBytes = 4096;
// A file that holds a secret may end with a line break.
inline constexpr std::size_t kMaxSecretFileBytes = kMaxSecretBytes + 2;
// Callers hold what a resume key seals and can test guesses of the key on it, so it must be long.
inline constexpr std::size_t kMinResumeKeyBytes = 32;

// The text of a secret's file without the line breaks at its end, which editors and `echo` add.
absl::string_view WithoutLineEnd(absl::string_view text);

// What is wrong with a secret's text; empty if nothing is.
absl::string_view SecretProblem(absl::string_view text);
// The same for a resume key.
absl::string_view ResumeKeyProblem(absl::string_view text);

}  // namespace rollcall::service
