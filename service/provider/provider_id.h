// The forms of the identifiers that providers give to accounts, conferences, calls and the like.
// Any thread may ask.
#pragma once

#include "absl/strings/string_view.h"

namespace rollcall::service {

// Whether `id` is `prefix` and 32 hexadecimal digits, such as Twilio's "AC..." of an account.
bool IsTwilioSid(absl::string_view id, absl::string_view prefix);

// Whether `id` is a UUID with hyphens, as SignalWire's ids are.
bool IsUuid(absl::string_view id);

}  // namespace rollcall::service
