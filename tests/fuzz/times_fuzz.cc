// Fuzzes the time parser: the input is a time.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "google/protobuf/util/time_util.h"
#include "service/record/times.h"
#include "tests/fuzz/require.h"

namespace rollcall::service {
namespace {

using google::protobuf::Timestamp;
using google::protobuf::util::TimeUtil;

bool Same(const Timestamp& a, const Timestamp& b) {
  return a.seconds() == b.seconds() && a.nanos() == b.nanos();
}

void Fuzz(std::string_view text) {
  Timestamp before;
  before.set_seconds(1);
  before.set_nanos(2);
  Timestamp time = before;
  if (!ParseTime(text, time)) {
    Require(Same(time, before), "invalid text leaves the output unchanged");
    return;
  }
  Require(time.seconds() >= TimeUtil::kTimestampMinSeconds &&
              time.seconds() <= TimeUtil::kTimestampMaxSeconds && time.nanos() >= 0 &&
              time.nanos() <= 999999999,
          "a time is in protobuf's range");

  Timestamp again;
  Require(ParseTime(TimeUtil::ToString(time), again) && Same(time, again),
          "a time formatted by protobuf survives a round trip");

  const bool is_iso8601 = text[4] == '-';
  if (!is_iso8601) return;
  absl::Time reference;
  Require(absl::ParseTime(absl::RFC3339_full, std::string(text), &reference, nullptr),
          "Abseil reads every ISO 8601 time that is accepted");
  Require(reference == absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos()),
          "Abseil reads the same time");
}

}  // namespace
}  // namespace rollcall::service

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rollcall::service::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
