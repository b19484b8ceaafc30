#pragma once

#include "absl/strings/ascii.h"

namespace rollcall::service {

// absl::ascii_isalnum() and its siblings for a char of either sign.
inline bool IsAlnum(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }
inline bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }
inline bool IsHex(char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); }

}  // namespace rollcall::service
