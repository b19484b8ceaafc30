// The page for people on the operator's port: how the service is, in HTML that needs no script and
// nothing from elsewhere. Made by Telemetry when somebody asks.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "service/admin/service_state.h"
#include "service/metrics/call_monitor.h"
#include "service/metrics/request_monitor.h"

namespace rollcall {

// An upstream as it is configured and as it is.
struct UpstreamStatus {
  std::string name;
  std::string provider;
  std::string origin;  // of its API, without path
  UpstreamHealth health;
};

struct StatusPage {
  std::string version;
  absl::Time started;
  absl::Time now;
  // In the order in which the state has them.
  std::vector<UpstreamStatus> upstreams;
  ServiceState state;
  std::vector<FailedCall> errors;
  int64_t resident_bytes = 0;
  std::vector<std::pair<std::string, std::string>> configuration;
};

// All texts are escaped. Of the calls that run, no more than 100 are shown, the oldest first.
std::string ToHtml(const StatusPage& page);

}  // namespace rollcall
