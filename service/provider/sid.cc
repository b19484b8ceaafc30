#include "service/provider/sid.h"

#include "absl/strings/str_cat.h"

namespace rollcall::service {

void CheckTwilioSid(absl::string_view field, absl::string_view sid, absl::string_view prefix,
                    RequestViolations& violations) {
  if (IsTwilioSid(sid, prefix)) return;
  violations.Add(field, absl::StrCat(sid.empty() ? "is required: " : "must be ", "\"", prefix,
                                     "\" and 32 hexadecimal digits"));
}

void CheckUuid(absl::string_view field, absl::string_view id, RequestViolations& violations) {
  if (IsUuid(id)) return;
  violations.Add(field, absl::StrCat(id.empty() ? "is required: " : "must be ",
                                     "a UUID such as b3877c40-da60-4998-90ad-b792e98472cf"));
}

}  // namespace rollcall::service
