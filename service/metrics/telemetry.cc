#include "service/metrics/telemetry.h"

#include <unistd.h>

#include <utility>

#include "service/metrics/scraped_metric.h"

namespace rollcall::service {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

}  // namespace

Telemetry::Telemetry(const TelemetryOptions& options)
    : version_(options.version),
      writer_(STDERR_FILENO),
      log_(writer_.logger()),
      calls_(options.upstreams, registry_, log_, options.log_calls),
      event_loop_lag_(
          prometheus::BuildHistogram()
              .Name("rollcall_event_loop_lag_seconds")
              .Help("Lateness of an event loop's timer, measured once a second")
              .Register(registry_)
              .Add({}, prometheus::Histogram::BucketBoundaries{0.001, 0.0025, 0.005, 0.01, 0.025,
                                                               0.05, 0.1, 0.25, 1})),
      reload_refused_(
          prometheus::BuildGauge()
              .Name("rollcall_reload_refused")
              .Help("1 if a watched file has unusable content, and its previous content "
                    "is in use")
              .Register(registry_)),
      certificate_not_after_(prometheus::BuildGauge()
                                 .Name("rollcall_certificate_not_after_seconds")
                                 .Help("When the server certificate expires, in Unix time")
                                 .Register(registry_)) {
  for (const std::string& upstream : options.upstreams) {
    upstreams_[upstream] = std::make_unique<OfUpstream>(upstream, registry_, log_);
  }
  for (const std::string& what : options.followed_files) reload_refused_.Add({{"what", what}});
  prometheus::BuildGauge()
      .Name("rollcall_build_info")
      .Help("1, with the version as a label")
      .Register(registry_)
      .Add({{"version", version_}})
      .Set(1);
}

void Telemetry::OnReload(absl::string_view what) {
  reload_refused_.Add({{"what", std::string(what)}}).Set(0);
  log_.Info("reloaded", {{"what", Identifier(what)}});
}

void Telemetry::OnReloadRefused(absl::string_view what, absl::string_view problem) {
  reload_refused_.Add({{"what", std::string(what)}}).Set(1);
  log_.Warn("reload_refused", {{"what", Identifier(what)}, {"problem", ConfigProblem(problem)}});
}

void Telemetry::OnCertificate(absl::Time not_after) {
  certificate_not_after_.Add({}).Set(static_cast<double>(absl::ToUnixSeconds(not_after)));
}

void Telemetry::OnRecording() { log_.Warn("recording", {}); }

void Telemetry::OnRecordingEnd(absl::string_view cause) {
  log_.Warn("recording_stopped", {{"cause", Identifier(cause)}});
}

void Telemetry::OnServing() { log_.Info("serving", {{"version", Identifier(version_)}}); }

void Telemetry::OnDrain() { log_.Info("draining", {}); }

std::vector<MetricFamily> Telemetry::Collect() const {
  std::vector<MetricFamily> metrics = registry_.Collect();
  MetricFamily lost = ScrapedMetric(
      "rollcall_log_lines_lost_total",
      "Log lines that were dropped because standard error was not read or not writable",
      MetricType::Counter);
  AddValue(lost, static_cast<double>(writer_.lines_lost()));
  metrics.push_back(std::move(lost));
  return metrics;
}

}  // namespace rollcall::service
