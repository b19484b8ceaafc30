// What the service tells its operator: metrics, kept in one registry and served over HTTP in
// Prometheus' text format, and a log on standard error. Made by main() before all that reports to
// it; its members may be called from any thread but where they say otherwise.
#pragma once

#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/config/config.h"
#include "service/sync/mutex.h"
#include "service/telemetry/admin_server.h"
#include "service/telemetry/call_monitor.h"
#include "service/telemetry/event_log.h"
#include "service/telemetry/log_writer.h"
#include "service/telemetry/participant_monitor.h"
#include "service/telemetry/request_monitor.h"
#include "service/telemetry/service_state.h"
#include "service/telemetry/status_page.h"

namespace rollcall {

class Telemetry {
 public:
  // For a service of this version with this configuration, of which nothing is referred to later.
  Telemetry(const Config& config, const std::string& version);
  ~Telemetry();
  Telemetry(const Telemetry&) = delete;
  Telemetry& operator=(const Telemetry&) = delete;

  // Serves the metrics and the status page on this host and port, of which port 0 takes a free one,
  // to those who send the token if there is one, and returns their URL; and to everybody, /livez
  // and /readyz. Called once at most, by main().
  absl::StatusOr<std::string> Serve(const std::string& listen, std::optional<CurrentSecret> token);

  // From now on asks `state` for what the service does, on the admin server's thread; until the
  // next call, which returns when nobody is asked any more. nullptr asks nobody.
  void Watch(std::function<ServiceState()> state);

  EventLog& log() { return log_; }
  CallMonitor& calls() { return calls_; }
  // How late the timers of the event loops are.
  prometheus::Histogram& event_loop_lag() { return event_loop_lag_; }

  // Files which may change while the service runs were read anew and are in use: `what` says which.
  void OnReload(absl::string_view what);

  // They were found wrong, so that what they held before goes on. `problem` says why, and
  // holds no value of theirs.
  void OnReloadRefused(absl::string_view what, absl::string_view problem);

  // The certificate with which callers are met is another, good until then.
  void OnCertificate(absl::Time not_after);

  // What providers answer is recorded; or it is not, or not any more.
  void OnRecording();
  void OnRecordingEnd(absl::string_view cause);

  // Calls are served from now on, or no new ones any more.
  void OnServing();
  void OnDrain();

  // Of one of the configured upstreams.
  ParticipantMonitor& participants(const std::string& upstream) {
    return upstreams_.at(upstream)->participants;
  }
  RequestMonitor& requests(const std::string& upstream) {
    return upstreams_.at(upstream)->requests;
  }

 private:
  struct OfUpstream {
    OfUpstream(const std::string& name, prometheus::Registry& registry, EventLog& log)
        : participants(name, registry, log), requests(name, registry, log) {}

    ParticipantMonitor participants;
    RequestMonitor requests;
  };

  std::string Metrics();
  std::string Status();
  AdminServer::Page Liveness();
  AdminServer::Page Readiness();
  std::optional<ServiceState> State();

  // Of the status page, what does not change.
  const StatusPage configured_;
  LogWriter writer_;
  EventLog log_;
  prometheus::Registry registry_;
  CallMonitor calls_;
  prometheus::Histogram& event_loop_lag_;
  prometheus::Family<prometheus::Gauge>& reload_refused_;
  prometheus::Family<prometheus::Gauge>& certificate_not_after_;
  absl::flat_hash_map<std::string, std::unique_ptr<OfUpstream>> upstreams_;

  Mutex mutex_;
  std::function<ServiceState()> state_ ABSL_GUARDED_BY(mutex_);

  std::unique_ptr<AdminServer> server_;  // ends first
};

}  // namespace rollcall
