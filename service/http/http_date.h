// Timestamps in HTTP headers.
#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rollcall::service {

// Reads the three forms of RFC 9110, section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT", and the
// obsolete "Sunday, 06-Nov-94 08:49:37 GMT" (RFC 850) and "Sun Nov  6 08:49:37 1994" (asctime). A
// year of two digits is at most 50 years after `now`. Nothing for any other text, including one
// whose day of the week is wrong.
std::optional<absl::Time> ParseHttpDate(absl::string_view text, absl::Time now);

}  // namespace rollcall::service
