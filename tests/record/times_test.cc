#include "service/record/times.h"

#include <cstdint>
#include <iterator>
#include <optional>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "gtest/gtest.h"
#include "tests/record/oracle.h"

namespace rollcall::service {
namespace {

using google::protobuf::Timestamp;

struct Moment {
  const char* text = nullptr;
  int64_t seconds = 0;
  int32_t nanos = 0;
};

TEST(ParseTimeTest, ParsesProvidersFormats) {
  const Moment moments[] = {
      {"2021-10-08T02:58:51Z", 1633661931},
      {"2021-10-08T02:58:51+00:00", 1633661931},
      {"2021-10-08T02:58:51-00:00", 1633661931},
      {"2021-10-08T02:58:51.000Z", 1633661931},
      {"2021-10-08T02:58:51.5Z", 1633661931, 500000000},
      {"2021-10-08T02:58:51.123456789-11:30", 1633703331, 123456789},
      {"2021-10-08T02:58:51.000000001Z", 1633661931, 1},
      {"2021-10-08T08:28:51+0530", 1633661931},
      {"2021-10-08t02:58:51z", 1633661931},
      {"1970-01-01T00:00:00Z", 0},
      {"1969-12-31T23:59:59.75Z", -1, 750000000},
      {"2020-02-29T00:00:00Z", 1582934400},
      {"2000-02-29T00:00:00Z", 951782400},
      {"0001-01-01T00:00:00Z", -62135596800},
      {"9999-12-31T23:59:59.999999999Z", 253402300799, 999999999},
      {"9999-12-31T23:59:59+00:01", 253402300739},
      {"Sat, 19 Feb 2011 21:07:19 +0000", 1298149639},
      {"Mon, 24 Sept 2018 21:00:00 +0000", 1537822800},
      {"Tue, 25 Sept 2018 20:00:00 +0000", 1537905600},
      {"Mon, 24 Sep 2018 21:00:00 +0000", 1537822800},
      {"Mon, 24 September 2018 21:00:00 +0000", 1537822800},
      {"Monday, 24 SEPTEMBER 2018 21:00:00 +0000", 1537822800},
      {"24 Sep 2018 21:00:00 GMT", 1537822800},
      {"24 Sep 2018 21:00:00 UT", 1537822800},
      {"24 Sep 2018 21:00:00 UTC", 1537822800},
      {"24 Sep 2018 21:00:00 Z", 1537822800},
      {"24 Sep 2018 21:00 GMT", 1537822800},
      {"Mon, 24 Sep 2018 16:30:00 -0430", 1537822800},
      {"Wed,  3 Jan 2018  01:02:03  +0000", 1514941323},
      {"Sat, 29 Feb 2020 00:00:00 +0000", 1582934400},
      {"1 May 2018 00:00:00 +0000", 1525132800},
      {"01 may 2018 00:00:00 +0000", 1525132800},
  };
  for (const Moment& moment : moments) {
    Timestamp time;
    EXPECT_TRUE(ParseTime(moment.text, time)) << moment.text;
    EXPECT_EQ(time.seconds(), moment.seconds) << moment.text;
    EXPECT_EQ(time.nanos(), moment.nanos) << moment.text;
  }
}

TEST(ParseTimeTest, RejectsInvalidTextAndLeavesTheOutputUnchanged) {
  const std::string texts[] = {
      "",
      " ",
      "Z",
      "null",
      "0000",
      "1633661931",
      "infinite-future",
      "2021",
      "2021-",
      "2021-10-08",
      "2021-10-08T",
      "2021-10-08T02:58",
      "2021-10-08T02:58Z",
      "2021-10-08T02:58:51",
      "2021-10-08 02:58:51Z",
      " 2021-10-08T02:58:51Z",
      "2021-10-08T02:58:51Z ",
      "2021-10-08T02:58:51ZZ",
      "2021-10-08T02:58:51.Z",
      "2021-10-08T02:58:51.1234567891Z",
      "2021-10-08T02:58:51,5Z",
      "2021-10-08T02:58:60Z",
      "2021-10-08T24:00:00Z",
      "2021-10-08T02:60:00Z",
      "2021-10-08T02:58:51+24:00",
      "2021-10-08T02:58:51+00:60",
      "2021-10-08T02:58:51+0",
      "2021-10-08T02:58:51+00",
      "2021-10-08T02:58:51+00:0",
      "2021-10-08T02:58:51+00:000",
      "2021-10-08T02:58:51*00:00",
      "2021-10-08T-2:58:51Z",
      "2021-1-08T02:58:51Z",
      "2021-00-08T02:58:51Z",
      "2021-13-08T02:58:51Z",
      "2021-10-00T02:58:51Z",
      "2021-10-32T02:58:51Z",
      "2021-04-31T00:00:00Z",
      "2021-02-29T00:00:00Z",
      "1900-02-29T00:00:00Z",
      "0000-01-01T00:00:00Z",
      "0001-01-01T00:00:00+00:01",
      "9999-12-31T23:59:59-00:01",
      "10000-01-01T00:00:00Z",
      "-001-01-01T00:00:00Z",
      "+2021-10-08T02:58:51Z",
      "20211008T025851Z",
      "Sat, 19 Feb 2011 21:07:19",
      "Sat, 19 Feb 2011",
      "Sat 19 Feb 2011 21:07:19 +0000",
      "Sat,19 Feb 2011 21:07:19 +0000",
      ", 19 Feb 2011 21:07:19 +0000",
      "Sat, 19Feb2011 21:07:19 +0000",
      "Sat, 19 Fe 2011 21:07:19 +0000",
      "Sat, 19 Febr 2011 21:07:19 +0000",
      "Sat, 19 Juny 2011 21:07:19 +0000",
      "Sat, 19 Septe 2011 21:07:19 +0000",
      "Sat, 19 Septembers 2011 21:07:19 +0000",
      "Sat, 19 2 2011 21:07:19 +0000",
      "Sat, 0 Feb 2011 21:07:19 +0000",
      "Sat, 30 Feb 2011 21:07:19 +0000",
      "Sat, 123 Feb 2011 21:07:19 +0000",
      "Sat, 19 Feb 11 21:07:19 +0000",
      "Sat, 19 Feb 0000 21:07:19 +0000",
      "Sat, 19 Feb 20111 21:07:19 +0000",
      "Sat, 19 Feb 2011 1:07:19 +0000",
      "Sat, 19 Feb 2011 24:07:19 +0000",
      "Sat, 19 Feb 2011 21:07:60 +0000",
      "Sat, 19 Feb 2011 21:07:19.5 +0000",
      "Sat, 19 Feb 2011 21:07:19+0000",
      "Sat, 19 Feb 2011 21:07:19 0000",
      "Sat, 19 Feb 2011 21:07:19 EST",
      "Sat, 19 Feb 2011 21:07:19 +00000",
      "Sat, 19 Feb 2011 21:07:19 +0000 (UTC)",
      "Sat, 19 Feb 2011 21:07:19 +0000 ",
      "\xD8\xAF, 19 Feb 2011 21:07:19 +0000",
      std::string("2021-10-08T02:58:51Z\0", 21),
      std::string("2021\0-10-08T02:58:51Z", 21),
      std::string("\0", 1),
      std::string(100000, '9'),
      std::string(100000, ' '),
      std::string(100000, 'a'),
  };
  for (const std::string& text : texts) {
    Timestamp time;
    time.set_seconds(7);
    time.set_nanos(8);
    EXPECT_FALSE(ParseTime(text, time)) << text.substr(0, 80);
    EXPECT_EQ(time.seconds(), 7) << text.substr(0, 80);
    EXPECT_EQ(time.nanos(), 8) << text.substr(0, 80);
    EXPECT_FALSE(ParseTimeByOracle(text.substr(0, 1000)).has_value()) << text.substr(0, 80);
  }
}

// Every time must survive formatting in each format.
TEST(ParseTimeTest, RoundTripsThroughAbseil) {
  constexpr uint32_t kSeed = 20111;
  std::mt19937_64 random(kSeed);
  // A day from either end, so that every offset stays within the years 1 to 9999.
  std::uniform_int_distribution<int64_t> any_second(-62135596800 + 86400, 253402300799 - 86400);
  std::uniform_int_distribution<int> any_nano(0, 999999999);
  std::uniform_int_distribution<int> any_offset(-23 * 60 - 59, 23 * 60 + 59);
  for (int i = 0; i < 20000; ++i) {
    const int64_t seconds = any_second(random);
    const int nanos = i % 3 == 0 ? 0 : any_nano(random);
    const absl::TimeZone zone = absl::FixedTimeZone(any_offset(random) * 60);
    const absl::Time second = absl::FromUnixSeconds(seconds);
    const absl::Time moment = second + absl::Nanoseconds(nanos);

    for (const char* form : {"%E4Y-%m-%d%ET%H:%M:%E*S%Ez", "%E4Y-%m-%dt%H:%M:%E9S%z"}) {
      const std::string text = absl::FormatTime(form, moment, zone);
      Timestamp time;
      ASSERT_TRUE(ParseTime(text, time)) << text;
      ASSERT_EQ(time.seconds(), seconds) << text;
      ASSERT_EQ(time.nanos(), nanos) << text;
    }
    for (const char* form : {"%a, %d %b %E4Y %H:%M:%S %z", "%A, %e %B %E4Y %H:%M:%S %Ez"}) {
      const std::string text = absl::FormatTime(form, second, zone);
      Timestamp time;
      ASSERT_TRUE(ParseTime(text, time)) << text;
      ASSERT_EQ(time.seconds(), seconds) << text;
      ASSERT_EQ(time.nanos(), 0) << text;
    }
  }
}

// Text with random byte errors: parser and oracle must agree.
TEST(ParseTimeTest, AgreesWithTheOracleOnDamagedText) {
  constexpr uint32_t kSeed = 7;
  std::mt19937_64 random(kSeed);
  const std::string texts[] = {"2021-10-08T02:58:51.120Z", "2021-10-08T02:58:51+05:30",
                               "Sat, 19 Feb 2011 21:07:19 +0000", "3 Sept 2018 21:00 GMT"};
  const std::string bytes("0123456789:-+.,ZTt aSepé\0", 26);
  const auto below = [&](size_t end) { return static_cast<size_t>(random() % end); };
  for (int i = 0; i < 20000; ++i) {
    std::string text = texts[below(std::size(texts))];
    for (size_t changes = below(3); changes < 3; ++changes) {
      const size_t position = below(text.size());
      switch (below(3)) {
        case 0:
          text[position] = bytes[below(bytes.size())];
          break;
        case 1:
          text.erase(position, 1);
          break;
        default:
          text.insert(position, 1, bytes[below(bytes.size())]);
      }
    }
    Timestamp time;
    const bool parsed = ParseTime(text, time);
    const std::optional<Timestamp> expected = ParseTimeByOracle(text);
    ASSERT_EQ(parsed, expected.has_value()) << text;
    if (!parsed) continue;
    ASSERT_EQ(time.seconds(), expected->seconds()) << text;
    ASSERT_EQ(time.nanos(), expected->nanos()) << text;
  }
}

}  // namespace
}  // namespace rollcall::service
