#include "rollcall/call_options.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"

namespace rollcall {

bool IsRequestId(absl::string_view text) {
  constexpr size_t kMaxSize = 128;
  return !text.empty() && text.size() <= kMaxSize &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
                  c == '.';
         });
}

}  // namespace rollcall
