// Everything that reports to the operator: the log on standard error, and the metrics, which are
// kept in one registry. Made by main() before anything that reports; destroyed last. Thread-safe.
#pragma once

#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/log/event_log.h"
#include "service/log/log_writer.h"
#include "service/metrics/call_monitor.h"
#include "service/metrics/participant_monitor.h"
#include "service/metrics/request_monitor.h"

namespace rollcall::service {

struct TelemetryOptions {
  std::string version;
  // Whether each call is logged.
  bool log_calls = true;
  std::vector<std::string> upstreams;  // by name
  // The watched files, by the names that the log and the metrics use.
  std::vector<std::string> followed_files;
};

class Telemetry {
 public:
  explicit Telemetry(const TelemetryOptions& options);
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;

  EventLog& log() { return log_; }
  CallMonitor& calls() { return calls_; }
  // How late the timers of the event loops are.
  prometheus::Histogram& event_loop_lag() { return event_loop_lag_; }

  // The monitors of a configured upstream.
  ParticipantMonitor& participants(const std::string& upstream) {
    return upstreams_.at(upstream)->participants;
  }
  RequestMonitor& requests(const std::string& upstream) {
    return upstreams_.at(upstream)->requests;
  }

  // A watched file was reloaded, and its new content is in use. `what` names the file's purpose.
  void OnReload(absl::string_view what);

  // A watched file has changed, but cannot be used; the previous content stays in use. `problem`
  // must not contain values from the file.
  void OnReloadRefused(absl::string_view what, absl::string_view problem);

  // The server certificate was replaced; the new one expires at `not_after`.
  void OnCertificate(absl::Time not_after);

  // Recording has begun, or has ended before the service.
  void OnRecording();
  void OnRecordingEnd(absl::string_view cause);

  // The service accepts calls, or has stopped accepting new ones.
  void OnServing();
  void OnDrain();

  // All metrics of the registry, and the number of lost log lines.
  std::vector<prometheus::MetricFamily> Collect() const;

 private:
  struct OfUpstream {
    OfUpstream(const std::string& name, prometheus::Registry& registry, EventLog& log)
        : participants(name, registry, log), requests(name, registry, log) {}

    ParticipantMonitor participants;
    RequestMonitor requests;
  };

  const std::string version_;
  LogWriter writer_;
  EventLog log_;
  prometheus::Registry registry_;
  CallMonitor calls_;
  prometheus::Histogram& event_loop_lag_;
  prometheus::Family<prometheus::Gauge>& reload_refused_;
  prometheus::Family<prometheus::Gauge>& certificate_not_after_;
  absl::flat_hash_map<std::string, std::unique_ptr<OfUpstream>> upstreams_;
};

}  // namespace rollcall::service
