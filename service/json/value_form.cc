#include "service/json/value_form.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace rollcall::service {

bool IsName(absl::string_view text) {
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
  });
}

bool IsPath(absl::string_view text) { return !text.empty() && !absl::StrContains(text, '\0'); }

}  // namespace rollcall::service
