#include "service/upstream/retry_after.h"

#include <gtest/gtest.h>

#include "absl/time/time.h"

namespace rollcall::service {
namespace {

constexpr char kDate[] = "Sun, 06 Nov 1994 08:49:37 GMT";

// The local clock, an hour ahead of kDate.
absl::Time Now() { return absl::FromUnixSeconds(784111777) + absl::Hours(1); }

TEST(RetryAfter, ReadsValidHeaders) {
  struct {
    const char* retry_after;
    absl::Duration delay;
  } const cases[] = {
      {"0", absl::ZeroDuration()},
      {"7", absl::Seconds(7)},
      {"007", absl::Seconds(7)},
      {"86400", absl::Hours(24)},
      {"86401", absl::Hours(24)},
      {"99999999999999999999", absl::Hours(24)},
      {"Sun, 06 Nov 1994 08:50:07 GMT", absl::Seconds(30)},
      {"Sunday, 06-Nov-94 08:50:07 GMT", absl::Seconds(30)},
      {"Sun Nov  6 08:50:07 1994", absl::Seconds(30)},
      {"Thu Nov 10 08:49:37 1994", absl::Hours(24)},
      {"Sun, 06 Nov 1994 08:49:36 GMT", absl::ZeroDuration()},
      {"Sunday, 06-Nov-44 08:50:07 GMT", absl::Hours(24)},       // 2044
      {"Monday, 06-Nov-45 08:50:07 GMT", absl::ZeroDuration()},  // 1945 was a Tuesday
      {"Tuesday, 06-Nov-45 08:50:07 GMT", absl::ZeroDuration()},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(RetryDelay(c.retry_after, kDate, Now()), c.delay) << c.retry_after;
  }
}

TEST(RetryAfter, IgnoresMalformedHeaders) {
  for (const char* const retry_after :
       {"", " ", "7 ", " 7", "+7", "-7", "7s", "7.5", "1e3", "0x10", "inf", "infinity", "nan",
        "infinite-future", "soon",
        // Each of the dates with one fault.
        "Mon, 06 Nov 1994 09:49:37 GMT", "Sun, 06 Nov 1994 09:49:37",
        "Sun, 06 Nov 1994 09:49:37 UTC", "Sun, 06 Nov 1994 09:49:37 +0000",
        "Sun, 6 Nov 1994 09:49:37 GMT", "sun, 06 nov 1994 09:49:37 gmt",
        "Sun, 06 Nov 94 09:49:37 GMT", "Sun,  06 Nov 1994 09:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 09:60:37 GMT",
        "Wed, 31 Nov 1994 09:49:37 GMT", "Sun, 06 Nov 1994 09:49:37 GMT, 7",
        "Monday, 06-Nov-94 09:49:37 GMT", "Sun, 06-Nov-94 09:49:37 GMT",
        "Sunday, 06-Nov-1994 09:49:37 GMT", "Sunday, 06-Nov-94 09:49:37", "Sun Nov 6 09:49:37 1994",
        "Sun Nov 06 09:49:37 1994", "Mon Nov  6 09:49:37 1994", "Sun Nov  6 09:49:37 94",
        "Sun Nov  6 09:49:37 1994 GMT", "1994-11-06T09:49:37Z"}) {
    EXPECT_EQ(RetryDelay(retry_after, kDate, Now()), absl::ZeroDuration()) << retry_after;
  }
}

TEST(RetryAfter, ComparesDatesWithTheLocalClockIfTheResponseHasNoValidDate) {
  const char* const retry_after = "Sun, 06 Nov 1994 09:50:07 GMT";
  for (const char* const date : {"", "Mon, 06 Nov 1994 08:49:37 GMT", "now"}) {
    EXPECT_EQ(RetryDelay(retry_after, date, Now()), absl::Seconds(30)) << date;
  }
  EXPECT_EQ(RetryDelay(retry_after, kDate, Now()), absl::Minutes(60) + absl::Seconds(30));
}

}  // namespace
}  // namespace rollcall::service
