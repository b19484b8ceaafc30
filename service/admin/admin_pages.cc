#include "service/admin/admin_pages.h"

#include <prometheus/text_serializer.h>

#include <chrono>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "service/metrics/process_metrics.h"
#include "service/metrics/scraped_metric.h"

namespace rollcall::service {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

// The metrics of the service's state.
std::vector<MetricFamily> MetricsOf(const ServiceState& state) {
  const auto gauge = [](const char* name, const char* help) {
    return ScrapedMetric(name, help, MetricType::Gauge);
  };
  MetricFamily running = gauge("rollcall_calls_running", "Running calls");
  for (const CallMethod method : kCallMethods) {
    int count = 0;
    for (const RunningCall& call : state.calls) count += call.method == method ? 1 : 0;
    AddValue(running, count, {{"method", NameOf(method)}});
  }
  MetricFamily queued = gauge("rollcall_send_queue_bytes",
                              "Flushed records that are not yet written to their callers");
  size_t bytes = 0;
  for (const RunningCall& call : state.calls) bytes += call.queued_bytes;
  AddValue(queued, static_cast<double>(bytes));
  MetricFamily draining = gauge("rollcall_draining", "1 while the service is draining");
  AddValue(draining, state.draining ? 1 : 0);

  MetricFamily waiting = gauge("rollcall_requests_waiting", "Requests that wait for a permit");
  MetricFamily in_flight = gauge("rollcall_requests_in_flight",
                                 "Requests whose responses are neither complete nor stalled");
  MetricFamily stalled = gauge("rollcall_requests_stalled", "Responses paused by slow callers");
  MetricFamily limit = gauge("rollcall_request_limit", "Current limit of requests in flight");
  MetricFamily circuit_open = gauge("rollcall_circuit_open", "1 while the circuit breaker is open");
  for (const UpstreamRequests& upstream : state.upstreams) {
    const auto add = [&upstream](MetricFamily& metric, int value) {
      AddValue(metric, value, {{"upstream", upstream.upstream}});
    };
    add(waiting, upstream.waiting);
    add(in_flight, upstream.in_flight);
    add(stalled, upstream.stalled);
    add(limit, upstream.limit);
    add(circuit_open, upstream.circuit_open ? 1 : 0);
  }
  return {running, queued, draining, waiting, in_flight, stalled, limit, circuit_open};
}

StatusPage ConfiguredPart(const AdminOptions& options) {
  StatusPage page;
  page.version = options.version;
  page.started = absl::Now();
  page.upstreams = options.upstreams;
  page.configuration = options.configuration;
  return page;
}

// An event loop that has not moved for this long hangs.
constexpr std::chrono::seconds kLongSilence{30};
// Without an accepted connection, new calls fail after the first, and only a restart helps after
// the second.
constexpr std::chrono::seconds kNoConnection{15};
constexpr std::chrono::seconds kNoConnectionForLong{60};
constexpr char kPlainText[] = "text/plain; charset=utf-8";

AdminServer::Page Ok() { return {kPlainText, "ok\n"}; }
AdminServer::Page Unavailable(const char* why) { return {kPlainText, why, 503}; }

}  // namespace

AdminPages::AdminPages(const AdminOptions& options, Telemetry& telemetry)
    : configured_(ConfiguredPart(options)), telemetry_(telemetry) {}

AdminPages::~AdminPages() = default;

absl::StatusOr<std::string> AdminPages::Serve(const std::string& listen,
                                              std::optional<CurrentSecret> token) {
  AdminServer::Pages pages;
  pages["/metrics"] = {[this] {
    return AdminServer::Page{"text/plain; version=0.0.4; charset=utf-8", Metrics()};
  }};
  pages["/"] = {[this] { return AdminServer::Page{"text/html; charset=utf-8", Status()}; }};
  // Probes have no token.
  pages["/livez"] = {.make = [this] { return Liveness(); }, .needs_token = false};
  pages["/readyz"] = {.make = [this] { return Readiness(); }, .needs_token = false};
  auto server = AdminServer::Start(listen, std::move(token), std::move(pages));
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  return absl::StrCat(server_->url(), "/metrics");
}

void AdminPages::Watch(std::optional<ServiceSource> source) {
  const MutexLock lock(mutex_);
  source_ = std::move(source);
}

// Holds the lock during the call, so that Watch() waits for it.
std::optional<ServiceState> AdminPages::State() {
  const MutexLock lock(mutex_);
  if (!source_) return std::nullopt;
  return source_->state();
}

// The same.
std::optional<ServiceHealth> AdminPages::Health() {
  const MutexLock lock(mutex_);
  if (!source_) return std::nullopt;
  return source_->health();
}

std::string AdminPages::Status() {
  StatusPage page = configured_;
  page.now = absl::Now();
  page.state = State().value_or(ServiceState());
  for (UpstreamStatus& upstream : page.upstreams) {
    upstream.health = telemetry_.requests(upstream.name).health();
  }
  page.errors = telemetry_.calls().RecentErrors();
  page.resident_bytes = ResidentBytes();
  return ToHtml(page);
}

// Fails if only a restart helps.
AdminServer::Page AdminPages::Liveness() {
  const auto health = Health();
  if (!health) return Ok();
  if (health->silence_of_loops >= kLongSilence) return Unavailable("an event loop hangs\n");
  if (!health->draining && health->silence_of_listener >= kNoConnectionForLong) {
    return Unavailable("no connections are accepted\n");
  }
  return Ok();
}

// Fails if new calls would be refused.
AdminServer::Page AdminPages::Readiness() {
  const auto health = Health();
  if (!health) return Unavailable("starting\n");
  if (health->draining) return Unavailable("draining\n");
  if (health->silence_of_listener >= kNoConnection) {
    return Unavailable("no connections are accepted\n");
  }
  return Ok();
}

std::string AdminPages::Metrics() {
  std::vector<MetricFamily> metrics = telemetry_.Collect();
  const auto add = [&metrics](std::vector<MetricFamily> more) {
    std::move(more.begin(), more.end(), std::back_inserter(metrics));
  };
  if (const auto state = State()) add(MetricsOf(*state));
  add(ProcessMetrics());
  return prometheus::TextSerializer().Serialize(metrics);
}

}  // namespace rollcall::service
