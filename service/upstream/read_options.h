// How the pages and records of a provider are read: limits on their size, retries, and prefetching.
#pragma once

#include <cstddef>
#include <cstdint>

#include "service/upstream/retry_policy.h"

namespace rollcall::service {

// The largest response that is accepted; the list or record fails beyond it.
struct ResponseLimits {
  std::size_t max_record_bytes = std::size_t{1} << 20;
  std::size_t max_page_bytes = std::size_t{256} << 20;
  // Bounds the memory for the identities of a page's records, about 80 bytes each.
  std::int64_t max_records_per_page = 10000;
  std::int64_t max_pages_per_list = 100000;
  int max_json_depth = 64;
};

struct ReadOptions {
  ResponseLimits limits;
  RetryOptions retry;
  // Whether the next page is requested while this one is still arriving.
  bool prefetch = true;
};

}  // namespace rollcall::service
