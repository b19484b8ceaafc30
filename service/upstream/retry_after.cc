#include "service/upstream/retry_after.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "service/http/http_date.h"

namespace rollcall::service {
namespace {

constexpr absl::Duration kMaxRetryDelay = absl::Hours(24);

// Nothing unless `text` is digits only. Numbers that do not fit become the largest one.
std::optional<int64_t> Seconds(absl::string_view text) {
  const auto is_digit = [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); };
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  int64_t seconds = 0;
  return absl::SimpleAtoi(text, &seconds) ? seconds : std::numeric_limits<int64_t>::max();
}

}  // namespace

absl::Duration RetryDelay(absl::string_view retry_after, absl::string_view date, absl::Time now) {
  absl::Duration delay;
  if (const auto seconds = Seconds(retry_after)) {
    delay = absl::Seconds(*seconds);
  } else if (const auto time = ParseHttpDate(retry_after, now)) {
    delay = *time - ParseHttpDate(date, now).value_or(now);
  }
  return std::clamp(delay, absl::ZeroDuration(), kMaxRetryDelay);
}

}  // namespace rollcall::service
