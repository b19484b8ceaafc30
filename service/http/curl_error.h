// Translates libcurl's errors.
#pragma once

#include <curl/curl.h>

#include "absl/status/status.h"

namespace rollcall::service {

// The error of a transfer that ended with `code`, which is not CURLE_OK. Does not contain the URL:
// its query may contain personal data, and the caller's error names the upstream.
absl::Status ErrorOf(CURL* easy, CURLcode code);

}  // namespace rollcall::service
