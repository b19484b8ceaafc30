// The status page: the service's state as HTML for people, without scripts or external resources.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "service/admin/service_state.h"
#include "service/metrics/call_monitor.h"
#include "service/metrics/request_monitor.h"

namespace rollcall::service {

// Configuration and health of an upstream.
struct UpstreamStatus {
  std::string name;
  std::string provider;
  std::string origin;  // of its API
  UpstreamHealth health;
};

struct StatusPage {
  std::string version;
  absl::Time started;
  absl::Time now;
  // In any order; matched to those of `state` by name.
  std::vector<UpstreamStatus> upstreams;
  ServiceState state;
  std::vector<FailedCall> errors;
  int64_t resident_bytes = 0;
  std::vector<std::pair<std::string, std::string>> configuration;
};

// Escapes all texts. Shows at most 100 running calls, the oldest first.
std::string ToHtml(const StatusPage& page);

}  // namespace rollcall::service
