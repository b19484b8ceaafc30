// Parses the time formats of the providers. Thread-safe.
#pragma once

#include <string_view>

#include "google/protobuf/timestamp.pb.h"

namespace rollcall::service {

// Parses ISO 8601 / RFC 3339 ("2021-10-08T02:58:51.5Z", "...+00:00") and RFC 2822
// ("Sat, 19 Feb 2011 21:07:19 +0000", also with "Sept" or a full month name). Returns false and
// leaves `time` unchanged for any other text, for fractions finer than a nanosecond, and for times
// outside the years 1 to 9999 UTC.
bool ParseTime(std::string_view text, google::protobuf::Timestamp& time);

}  // namespace rollcall::service
