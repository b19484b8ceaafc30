// The state of a configured upstream while the service runs. One per account; shared by all its
// calls, on any thread.
#pragma once

#include <functional>

#include "service/http/transport_options.h"
#include "service/metrics/participant_monitor.h"
#include "service/metrics/request_monitor.h"
#include "service/provider/account.h"
#include "service/upstream/concurrency_limiter.h"

namespace rollcall::service {

// What the operator decides about one upstream.
struct UpstreamOptions {
  Account account;
  TransportOptions transport = {};
  LimiterOptions limiter = {};
};

struct Upstream {
  const UpstreamOptions& options;
  ParticipantMonitor& participants;
  RequestMonitor& requests;
  ConcurrencyLimiter limiter;
};

}  // namespace rollcall::service
