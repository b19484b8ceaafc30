// What the service tells its operator: metrics, kept in one registry and served over HTTP in
// Prometheus' text format, and a log on standard error. Made by main() before all that reports to
// it; its members are for main()'s thread but for those that log and participants(), which any
// may call.
#pragma once

#include <prometheus/registry.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/config/secret.h"
#include "service/telemetry/event_log.h"
#include "service/telemetry/operator_server.h"
#include "service/telemetry/participant_monitor.h"

namespace rollcall {

class Telemetry {
 public:
  // `upstreams` are the names of those configured.
  explicit Telemetry(const std::vector<std::string>& upstreams);
  ~Telemetry();
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;

  // Serves the metrics on this host and port, of which port 0 takes a free one, to those who send
  // the token if there is one, and returns their URL. Called once at most.
  absl::StatusOr<std::string> ServeMetrics(const std::string& listen, std::optional<Secret> token);

  // Logs that an upstream was given up as down for now, or is back. From any thread.
  void OnUpstream(const std::string& name, bool is_up);

  // Logs that files which may change while the service runs were read anew: `what` says which.
  void OnReload(absl::string_view what);

  // Logs that they were found wrong, so that what they held before goes on. `problem` says why, and
  // holds no value of theirs.
  void OnReloadRefused(absl::string_view what, absl::string_view problem);

  // Of one of the configured upstreams.
  ParticipantMonitor& participants(const std::string& upstream) {
    return *participants_.at(upstream);
  }

 private:
  std::string Metrics() const;

  EventLog log_;
  prometheus::Registry registry_;
  absl::flat_hash_map<std::string, std::unique_ptr<ParticipantMonitor>> participants_;
  std::unique_ptr<OperatorServer> server_;  // ends first
};

}  // namespace rollcall
