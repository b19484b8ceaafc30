// Validates the identifiers in providers' paths. Thread-safe.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "service/error/error.h"
#include "service/provider/provider_id.h"
#include "service/record/requested_ids.h"

namespace rollcall::service {

// Adds a violation unless `sid` is `prefix` followed by 32 hexadecimal digits.
void CheckTwilioSid(absl::string_view field, absl::string_view sid, absl::string_view prefix,
                    RequestViolations& violations);

// Adds a violation unless `id` is a UUID with hyphens.
void CheckUuid(absl::string_view field, absl::string_view id, RequestViolations& violations);

// A requested id that records repeat in `field`: a sid with this two-letter prefix, or a UUID.
template <char First, char Second>
RequestedId RequestedSid(absl::string_view field, const std::string& sid) {
  return {field, sid, [](absl::string_view text) {
            constexpr char kPrefix[] = {First, Second};
            return IsTwilioSid(text, absl::string_view(kPrefix, sizeof(kPrefix)));
          }};
}
inline RequestedId RequestedUuid(absl::string_view field, const std::string& id) {
  return {field, id, &IsUuid};
}

}  // namespace rollcall::service
