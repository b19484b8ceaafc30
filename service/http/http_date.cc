#include "service/http/http_date.h"

#include <string>

#include "absl/time/civil_time.h"

namespace rollcall::service {
namespace {

constexpr char kImfFixdate[] = "%a, %d %b %Y %H:%M:%S GMT";
constexpr char kRfc850[] = "%A, %d-%b-%y %H:%M:%S GMT";
constexpr char kAsctime[] = "%a %b %e %H:%M:%S %Y";

// `time`, of whose year only the last two digits are known, at most 50 years after `now`.
absl::Time WithCentury(absl::Time time, absl::Time now) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::CivilSecond civil = absl::ToCivilSecond(time, utc);
  const absl::civil_year_t this_year = absl::ToCivilYear(now, utc).year();
  absl::civil_year_t year = this_year - this_year % 100 + civil.year() % 100;
  if (year > this_year + 50) year -= 100;
  if (year <= this_year - 50) year += 100;
  return absl::FromCivil(absl::CivilSecond(year, civil.month(), civil.day(), civil.hour(),
                                           civil.minute(), civil.second()),
                         utc);
}

}  // namespace

std::optional<absl::Time> ParseHttpDate(absl::string_view text, absl::Time now) {
  for (const char* const format : {kImfFixdate, kRfc850, kAsctime}) {
    absl::Time time;
    std::string error;
    // absl::ParseTime() also accepts "infinite-future".
    if (!absl::ParseTime(format, text, &time, &error) || time == absl::InfiniteFuture() ||
        time == absl::InfinitePast()) {
      continue;
    }
    if (format == kRfc850) time = WithCentury(time, now);
    // It also accepts other spacing, and any day of the week.
    if (absl::FormatTime(format, time, absl::UTCTimeZone()) == text) return time;
  }
  return std::nullopt;
}

}  // namespace rollcall::service
