#include "service/telemetry/telemetry.h"

#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <chrono>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "service/config/config_summary.h"
#include "service/telemetry/process_metrics.h"
#include "service/telemetry/scraped_metric.h"

namespace rollcall {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

std::vector<std::string> NamesOf(const std::vector<UpstreamConfig>& upstreams) {
  std::vector<std::string> names;
  for (const UpstreamConfig& upstream : upstreams) names.push_back(upstream.name);
  return names;
}

// What stands in files that are followed while the service runs, as the log calls it.
std::vector<std::string> FollowedFiles(const Config& config) {
  std::vector<std::string> files;
  if (config.tls) files.emplace_back("tls");
  if (!config.policy_file.empty()) files.emplace_back("policy_file");
  const auto add = [&files](const CurrentSecret& secret, std::string what) {
    if (!secret.file().empty()) files.push_back(std::move(what));
  };
  for (const UpstreamConfig& upstream : config.upstreams) {
    add(upstream.password, absl::StrCat("credentials:", upstream.name));
  }
  if (config.resume_key) add(*config.resume_key, "resume_key");
  if (config.metrics_token) add(*config.metrics_token, "metrics_token");
  return files;
}

// What the service does at this moment.
std::vector<MetricFamily> MetricsOf(const ServiceState& state) {
  const auto gauge = [](const char* name, const char* help) {
    return ScrapedMetric(name, help, MetricType::Gauge);
  };
  MetricFamily running = gauge("rollcall_calls_running", "Calls that run");
  for (const CallMethod method : {CallMethod::kList, CallMethod::kGet}) {
    int count = 0;
    for (const RunningCall& call : state.calls) count += call.method == method ? 1 : 0;
    AddValue(running, count, {{"method", NameOf(method)}});
  }
  MetricFamily queued =
      gauge("rollcall_send_queue_bytes", "Records that wait for their callers to take them");
  size_t bytes = 0;
  for (const RunningCall& call : state.calls) bytes += call.queued_bytes;
  AddValue(queued, static_cast<double>(bytes));
  MetricFamily draining = gauge("rollcall_draining", "1 while the service takes no new calls");
  AddValue(draining, state.draining ? 1 : 0);

  MetricFamily waiting =
      gauge("rollcall_requests_waiting", "Requests that wait for a permit to be sent");
  MetricFamily in_flight = gauge("rollcall_requests_in_flight",
                                 "Requests that were sent and are not complete or stalled");
  MetricFamily stalled =
      gauge("rollcall_requests_stalled", "Responses paused because their callers do not read");
  MetricFamily limit = gauge("rollcall_request_limit", "The present limit of requests in flight");
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

StatusPage ConfiguredPart(const Config& config, const std::string& version) {
  StatusPage page;
  page.version = version;
  page.started = absl::Now();
  for (const UpstreamConfig& upstream : config.upstreams) {
    page.upstreams.push_back({upstream.name,
                              upstream.provider == ProviderType::kTwilio ? "twilio" : "signalwire",
                              upstream.api.host_and_port(),
                              {}});
  }
  page.configuration = Summarize(config);
  return page;
}

// What the probes are told.
constexpr std::chrono::seconds kLongSilence{30};
constexpr char kPlainText[] = "text/plain; charset=utf-8";

AdminServer::Page Ok() { return {kPlainText, "ok\n"}; }
AdminServer::Page Unavailable(const char* why) { return {kPlainText, why, 503}; }

}  // namespace

Telemetry::Telemetry(const Config& config, const std::string& version)
    : configured_(ConfiguredPart(config, version)),
      writer_(STDERR_FILENO),
      log_(writer_.logger()),
      calls_(NamesOf(config.upstreams), registry_, log_, config.log_calls),
      event_loop_lag_(
          prometheus::BuildHistogram()
              .Name("rollcall_event_loop_lag_seconds")
              .Help("How late a timer of an event loop was, measured once a second")
              .Register(registry_)
              .Add({}, prometheus::Histogram::BucketBoundaries{0.001, 0.0025, 0.005, 0.01, 0.025,
                                                               0.05, 0.1, 0.25, 1})),
      reload_refused_(prometheus::BuildGauge()
                          .Name("rollcall_reload_refused")
                          .Help("1 while a file holds what cannot be used, and what it held before "
                                "goes on")
                          .Register(registry_)),
      certificate_not_after_(prometheus::BuildGauge()
                                 .Name("rollcall_certificate_not_after_seconds")
                                 .Help("When the certificate that callers are shown expires, in "
                                       "seconds since 1970")
                                 .Register(registry_)) {
  for (const std::string& upstream : NamesOf(config.upstreams)) {
    upstreams_[upstream] = std::make_unique<OfUpstream>(upstream, registry_, log_);
  }
  for (const std::string& what : FollowedFiles(config)) reload_refused_.Add({{"what", what}});
  prometheus::BuildGauge()
      .Name("rollcall_build_info")
      .Help("1, for the version that runs")
      .Register(registry_)
      .Add({{"version", version}})
      .Set(1);
}

Telemetry::~Telemetry() = default;

void Telemetry::OnReload(absl::string_view what) {
  reload_refused_.Add({{"what", std::string(what)}}).Set(0);
  log_.Info("reloaded", {{"what", Identifier(what)}});
}

void Telemetry::OnReloadRefused(absl::string_view what, absl::string_view problem) {
  reload_refused_.Add({{"what", std::string(what)}}).Set(1);
  log_.Warn("reload refused", {{"what", Identifier(what)}, {"problem", ConfigProblem(problem)}});
}

void Telemetry::OnCertificate(absl::Time not_after) {
  certificate_not_after_.Add({}).Set(static_cast<double>(absl::ToUnixSeconds(not_after)));
}

void Telemetry::OnRecording() { log_.Warn("recording", {}); }

void Telemetry::OnRecordingEnd(absl::string_view cause) {
  log_.Warn("recording stopped", {{"cause", Identifier(cause)}});
}

void Telemetry::OnServing() {
  log_.Info("serving", {{"version", Identifier(configured_.version)}});
}

void Telemetry::OnDrain() { log_.Info("draining", {}); }

absl::StatusOr<std::string> Telemetry::Serve(const std::string& listen,
                                             std::optional<CurrentSecret> token) {
  AdminServer::Pages pages;
  pages["/metrics"] = {[this] {
    return AdminServer::Page{"text/plain; version=0.0.4; charset=utf-8", Metrics()};
  }};
  pages["/"] = {[this] { return AdminServer::Page{"text/html; charset=utf-8", Status()}; }};
  // Those who probe have no token.
  pages["/livez"] = {.make = [this] { return Liveness(); }, .needs_token = false};
  pages["/readyz"] = {.make = [this] { return Readiness(); }, .needs_token = false};
  auto server = AdminServer::Start(listen, std::move(token), std::move(pages));
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  return absl::StrCat(server_->url(), "/metrics");
}

void Telemetry::Watch(std::function<ServiceState()> state) {
  const MutexLock lock(mutex_);
  state_ = std::move(state);
}

// Under the lock for as long as it takes, so that whoever is asked is there.
std::optional<ServiceState> Telemetry::State() {
  const MutexLock lock(mutex_);
  if (!state_) return std::nullopt;
  return state_();
}

std::string Telemetry::Status() {
  StatusPage page = configured_;
  page.now = absl::Now();
  page.state = State().value_or(ServiceState());
  for (UpstreamStatus& upstream : page.upstreams)
    upstream.health = requests(upstream.name).health();
  page.errors = calls_.RecentErrors();
  page.resident_bytes = ResidentBytes();
  return ToHtml(page);
}

// Whether the process would be better off if it were started again.
AdminServer::Page Telemetry::Liveness() {
  const auto state = State();
  return state && state->silence_of_loops >= kLongSilence ? Unavailable("an event loop hangs\n")
                                                          : Ok();
}

// Whether new calls are served here.
AdminServer::Page Telemetry::Readiness() {
  const auto state = State();
  if (!state) return Unavailable("starting\n");
  return state->draining ? Unavailable("draining\n") : Ok();
}

std::string Telemetry::Metrics() {
  std::vector<MetricFamily> metrics = registry_.Collect();
  const auto add = [&metrics](std::vector<MetricFamily> more) {
    std::move(more.begin(), more.end(), std::back_inserter(metrics));
  };
  if (const auto state = State()) add(MetricsOf(*state));
  MetricFamily lost =
      ScrapedMetric("rollcall_log_lines_lost_total", "Lines of the log that nobody read in time",
                    MetricType::Counter);
  AddValue(lost, static_cast<double>(writer_.lines_lost()));
  add({lost});
  add(ProcessMetrics());
  return prometheus::TextSerializer().Serialize(metrics);
}

}  // namespace rollcall
