#include "service/provider/sid.h"

#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rollcall {
namespace {

constexpr size_t kTwilioSidDigits = 32;
constexpr absl::string_view kUuidShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

bool IsHexDigit(char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); }

bool IsTwilioSid(absl::string_view sid, absl::string_view prefix) {
  if (sid.size() != prefix.size() + kTwilioSidDigits || !absl::StartsWith(sid, prefix)) {
    return false;
  }
  for (const char c : sid.substr(prefix.size())) {
    if (!IsHexDigit(c)) return false;
  }
  return true;
}

bool IsUuid(absl::string_view id) {
  if (id.size() != kUuidShape.size()) return false;
  for (size_t i = 0; i < id.size(); ++i) {
    if (kUuidShape[i] == '-' ? id[i] != '-' : !IsHexDigit(id[i])) return false;
  }
  return true;
}

}  // namespace

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

}  // namespace rollcall
