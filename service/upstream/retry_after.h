// HTTP's Retry-After header (RFC 9110, section 10.2.3).
#pragma once

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rollcall::service {

// How long a response asks to wait before the next request, at most 24 h; zero if it does not ask,
// or not in a valid form. `retry_after` is a number of seconds or a date. A date is compared with
// `date`, the response's Date header, because clocks differ; with `now` if that is missing or
// malformed.
absl::Duration RetryDelay(absl::string_view retry_after, absl::string_view date, absl::Time now);

}  // namespace rollcall::service
