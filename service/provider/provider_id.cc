#include "service/provider/provider_id.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace rollcall::service {
namespace {

bool IsHexDigit(char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); }

}  // namespace

bool IsTwilioSid(absl::string_view id, absl::string_view prefix) {
  return absl::ConsumePrefix(&id, prefix) && id.size() == 32 &&
         std::all_of(id.begin(), id.end(), IsHexDigit);
}

bool IsUuid(absl::string_view id) {
  constexpr absl::string_view kPattern = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::equal(id.begin(), id.end(), kPattern.begin(), kPattern.end(),
                    [](char c, char p) { return p == '-' ? c == '-' : IsHexDigit(c); });
}

}  // namespace rollcall::service
