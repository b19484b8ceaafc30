#include "service/record/times.h"

#include <array>
#include <cstdint>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/time/civil_time.h"

namespace rollcall::service {
namespace {

// Consumes a string from the front, token by token. A failure is permanent: see failed().
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

  bool Take(char c) {
    if (failed_ || peek() != c || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void Expect(char c) {
    if (!Take(c)) failed_ = true;
  }

  // Consumes a number of `least` to `most` digits.
  int Digits(size_t least, size_t most) {
    int number = 0;
    size_t count = 0;
    while (count < most && absl::ascii_isdigit(static_cast<unsigned char>(peek()))) {
      number = number * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
      ++count;
    }
    if (count < least) failed_ = true;
    return number;
  }

  std::string_view Letters() {
    size_t count = 0;
    while (count < rest_.size() && absl::ascii_isalpha(static_cast<unsigned char>(rest_[count]))) {
      ++count;
    }
    const std::string_view letters = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return letters;
  }

  void Spaces() {
    if (peek() != ' ') failed_ = true;
    while (Take(' ')) {
    }
  }

  void Fail() { failed_ = true; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

struct TimeOfDay {
  int hour = 0;
  int minute = 0;
  int second = 0;
  int nanos = 0;
  int offset_minutes = 0;
};

// An optional fraction of a second (".5"), in nanoseconds.
int Fraction(Scanner& scanner) {
  if (!scanner.Take('.')) return 0;
  int nanos = 0;
  int digits = 0;
  while (digits < 9 && absl::ascii_isdigit(static_cast<unsigned char>(scanner.peek()))) {
    nanos = nanos * 10 + scanner.Digits(1, 1);
    ++digits;
  }
  if (digits == 0) scanner.Fail();
  for (; digits < 9; ++digits) nanos *= 10;
  return nanos;
}

// "+hh:mm" or "+hhmm", in minutes.
int NumericOffset(Scanner& scanner) {
  const bool west = scanner.peek() == '-';
  if (!west) {
    scanner.Expect('+');
  } else {
    scanner.Take('-');
  }
  const int hours = scanner.Digits(2, 2);
  scanner.Take(':');
  const int minutes = scanner.Digits(2, 2);
  if (hours > 23 || minutes > 59) scanner.Fail();
  return (west ? -1 : 1) * (hours * 60 + minutes);
}

int MonthNumber(std::string_view name) {
  static constexpr std::array<std::string_view, 12> kMonths = {
      "january", "february", "march",     "april",   "may",      "june",
      "july",    "august",   "september", "october", "november", "december"};
  for (size_t i = 0; i < kMonths.size(); ++i) {
    const bool short_form = name.size() == 3 || (name.size() == 4 && kMonths[i] == "september");
    if (name.size() != kMonths[i].size() && !short_form) continue;
    const std::string_view month = kMonths[i].substr(0, name.size());
    if (absl::EqualsIgnoreCase(absl::string_view(name.data(), name.size()),
                               absl::string_view(month.data(), month.size()))) {
      return static_cast<int>(i) + 1;
    }
  }
  return 0;
}

bool Store(int year, int month, int day, const TimeOfDay& time,
           google::protobuf::Timestamp& timestamp) {
  const absl::CivilDay date(year, month, day);
  // CivilDay normalizes 31 April to 1 May.
  if (year < 1 || date.month() != month || date.day() != day) return false;
  if (time.hour > 23 || time.minute > 59 || time.second > 59) return false;
  const int64_t seconds = (date - absl::CivilDay(1970, 1, 1)) * int64_t{86400} + time.hour * 3600 +
                          time.minute * 60 + time.second - time.offset_minutes * int64_t{60};
  constexpr int64_t kFirst = -62135596800;  // 0001-01-01T00:00:00Z
  constexpr int64_t kLast = 253402300799;   // 9999-12-31T23:59:59Z
  if (seconds < kFirst || seconds > kLast) return false;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(time.nanos);
  return true;
}

bool ParseIso8601(std::string_view text, google::protobuf::Timestamp& timestamp) {
  Scanner scanner(text);
  const int year = scanner.Digits(4, 4);
  scanner.Expect('-');
  const int month = scanner.Digits(2, 2);
  scanner.Expect('-');
  const int day = scanner.Digits(2, 2);
  if (!scanner.Take('T') && !scanner.Take('t')) return false;
  TimeOfDay time;
  time.hour = scanner.Digits(2, 2);
  scanner.Expect(':');
  time.minute = scanner.Digits(2, 2);
  scanner.Expect(':');
  time.second = scanner.Digits(2, 2);
  time.nanos = Fraction(scanner);
  if (!scanner.Take('Z') && !scanner.Take('z')) time.offset_minutes = NumericOffset(scanner);
  if (scanner.failed() || !scanner.at_end()) return false;
  return Store(year, month, day, time, timestamp);
}

bool ParseRfc2822(std::string_view text, google::protobuf::Timestamp& timestamp) {
  Scanner scanner(text);
  if (!scanner.Letters().empty()) {  // the day of the week, which is redundant
    scanner.Expect(',');
    scanner.Spaces();
  }
  const int day = scanner.Digits(1, 2);
  scanner.Spaces();
  const int month = MonthNumber(scanner.Letters());
  scanner.Spaces();
  const int year = scanner.Digits(4, 4);
  scanner.Spaces();
  TimeOfDay time;
  time.hour = scanner.Digits(2, 2);
  scanner.Expect(':');
  time.minute = scanner.Digits(2, 2);
  if (scanner.Take(':')) time.second = scanner.Digits(2, 2);
  scanner.Spaces();
  const std::string_view zone = scanner.Letters();
  if (zone.empty()) {
    time.offset_minutes = NumericOffset(scanner);
  } else if (zone != "GMT" && zone != "UT" && zone != "UTC" && zone != "Z") {
    return false;
  }
  if (scanner.failed() || !scanner.at_end() || month == 0) return false;
  return Store(year, month, day, time, timestamp);
}

}  // namespace

bool ParseTime(std::string_view text, google::protobuf::Timestamp& time) {
  const bool starts_with_year = text.size() > 4 && text[4] == '-';
  return starts_with_year ? ParseIso8601(text, time) : ParseRfc2822(text, time);
}

}  // namespace rollcall::service
