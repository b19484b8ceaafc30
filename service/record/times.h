// Reads the forms of time that providers write. Used by the record decoder, on any thread.
#pragma once

#include <string_view>

#include "google/protobuf/timestamp.pb.h"

namespace rollcall {

// Reads ISO 8601 / RFC 3339 ("2021-10-08T02:58:51.5Z", "...+00:00") and RFC 2822
// ("Sat, 19 Feb 2011 21:07:19 +0000", also with "Sept" or a full month's name). False, and `time`
// unchanged, for anything else, for a time finer than a nanosecond and for one outside the years 1
// to 9999 in UTC.
bool ParseTime(std::string_view text, google::protobuf::Timestamp& time);

}  // namespace rollcall
