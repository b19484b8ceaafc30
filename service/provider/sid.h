// Checks the identifiers that become part of a provider's path. Used by the provider APIs, on any
// thread.
#pragma once

#include "absl/strings/string_view.h"
#include "service/error/error.h"

namespace rollcall {

// Adds a violation unless `sid` is `prefix` and 32 hexadecimal digits.
void CheckTwilioSid(absl::string_view field, absl::string_view sid, absl::string_view prefix,
                    RequestViolations& violations);

// Adds a violation unless `id` is a UUID in its form with hyphens.
void CheckUuid(absl::string_view field, absl::string_view id, RequestViolations& violations);

}  // namespace rollcall
