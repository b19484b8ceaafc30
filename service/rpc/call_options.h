// What the operator decides about calls. Filled by the server from the configuration.
#pragma once

#include <chrono>
#include <cstddef>

#include "service/query/query.h"
#include "service/upstream/read_options.h"

namespace rollcall::service {

struct CallOptions {
  QueryOptions query;
  DeadlineOptions deadline;
  ReadOptions read;
  // For callers to whom the policy gives no number of their own.
  int max_calls_per_caller;
  // Records that a stream holds until its caller takes them.
  std::size_t send_queue_bytes;
  // How long a caller may leave such records untaken.
  std::chrono::milliseconds caller_stall;
};

}  // namespace rollcall::service
