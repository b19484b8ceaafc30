// A configured upstream as it is while the service runs. Made by the server, one for each account;
// shared by all calls to it, on any thread.
#pragma once

#include <functional>

#include "service/config/config.h"
#include "service/metrics/participant_monitor.h"
#include "service/metrics/request_monitor.h"
#include "service/upstream/concurrency_limiter.h"

namespace rollcall {

struct Upstream {
  const UpstreamConfig& config;
  ParticipantMonitor& participants;
  RequestMonitor& requests;
  ConcurrencyLimiter limiter;
};

}  // namespace rollcall
