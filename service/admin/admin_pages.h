// The pages of the admin server: /metrics in Prometheus' text format, the status page, and the
// probes /livez and /readyz. Made by main(); thread-safe unless noted.
#pragma once

#include <prometheus/metric_family.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "service/admin/admin_server.h"
#include "service/admin/service_state.h"
#include "service/admin/status_page.h"
#include "service/metrics/telemetry.h"
#include "service/secrets/current_secret.h"
#include "service/sync/mutex.h"

namespace rollcall::service {

// The parts of the status page that do not change.
struct AdminOptions {
  std::string version;
  // The configured upstreams; `health` is not set.
  std::vector<UpstreamStatus> upstreams;
  // Settings and their values, without secrets.
  std::vector<std::pair<std::string, std::string>> configuration;
};

class AdminPages {
 public:
  // `telemetry` must outlive the pages.
  AdminPages(const AdminOptions& options, Telemetry& telemetry);
  ~AdminPages();
  AdminPages(const AdminPages&) = delete;
  AdminPages& operator=(const AdminPages&) = delete;

  // Starts the server on this host and port (port 0 chooses a free one), and returns the URL of the
  // metrics. If there is a token, it is required for all pages but the probes. Call at most once.
  absl::StatusOr<std::string> Serve(const std::string& listen, std::optional<CurrentSecret> token);

  // Sets the source of the service's state, which the server's thread calls; nullopt if there is
  // none (any more). When this returns, the previous source is not running and is not called again.
  void Watch(std::optional<ServiceSource> source);

 private:
  std::string Metrics();
  std::string Status();
  AdminServer::Page Liveness();
  AdminServer::Page Readiness();
  std::optional<ServiceState> State();
  std::optional<ServiceHealth> Health();

  const StatusPage configured_;  // the parts of the status page that do not change
  Telemetry& telemetry_;

  Mutex mutex_;
  std::optional<ServiceSource> source_ ABSL_GUARDED_BY(mutex_);

  std::unique_ptr<AdminServer> server_;  // last, because it calls the other members
};

}  // namespace rollcall::service
