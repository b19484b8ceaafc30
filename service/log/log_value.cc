#include "service/log/log_value.h"

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace rollcall::service {
namespace {

constexpr size_t kMaxIdentifier = 128;
constexpr absl::string_view kMarks = "-_.:[]%/";

}  // namespace

Identifier::Identifier(absl::string_view text) {
  for (const char c : text.substr(0, kMaxIdentifier)) {
    const bool stays = absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                       kMarks.find(c) != absl::string_view::npos;
    text_.push_back(stays ? c : '?');
  }
}

std::string NameOf(v1::ErrorReason reason) {
  if (reason == v1::ERROR_REASON_UNSPECIFIED) return {};
  return std::string(absl::StripPrefix(v1::ErrorReason_Name(reason), "ERROR_REASON_"));
}

std::string NameOf(absl::StatusCode code) { return absl::StatusCodeToString(code); }

std::string LogTime() {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
}

}  // namespace rollcall::service
