// What libcurl's errors mean to a call.
#pragma once

#include <curl/curl.h>

#include "absl/status/status.h"

namespace rollcall::service {

// The error of a transfer that ended with `code`, which is not CURLE_OK. Names no URL: its query
// may hold personal data, and the caller is told which upstream failed.
absl::Status ErrorOf(CURL* easy, CURLcode code);

}  // namespace rollcall::service
