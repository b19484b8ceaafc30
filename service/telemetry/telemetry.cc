#include "service/telemetry/telemetry.h"

#include <prometheus/text_serializer.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/telemetry/process_metrics.h"

namespace rollcall {

Telemetry::Telemetry(const std::vector<std::string>& upstreams)
    : log_(std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
  for (const std::string& upstream : upstreams) {
    participants_[upstream] = std::make_unique<ParticipantMonitor>(upstream, registry_, log_);
  }
}

Telemetry::~Telemetry() = default;

void Telemetry::OnUpstream(const std::string& name, bool is_up) {
  log_.Warn(is_up ? "upstream is back" : "upstream is down", {{"upstream", name}});
}

void Telemetry::OnReload(absl::string_view what) {
  log_.Warn("reloaded", {{"what", std::string(what)}});
}

void Telemetry::OnReloadRefused(absl::string_view what, absl::string_view problem) {
  log_.Warn("reload refused", {{"what", std::string(what)}, {"problem", std::string(problem)}});
}

absl::StatusOr<std::string> Telemetry::ServeMetrics(const std::string& listen,
                                                    std::optional<Secret> token) {
  OperatorServer::Pages pages;
  pages["/metrics"] = [this] {
    return OperatorServer::Page{"text/plain; version=0.0.4; charset=utf-8", Metrics()};
  };
  auto server = OperatorServer::Start(listen, std::move(token), std::move(pages));
  if (!server.ok()) return server.status();
  server_ = *std::move(server);
  return absl::StrCat(server_->url(), "/metrics");
}

std::string Telemetry::Metrics() const {
  std::vector<prometheus::MetricFamily> metrics = registry_.Collect();
  std::vector<prometheus::MetricFamily> of_process = ProcessMetrics();
  std::move(of_process.begin(), of_process.end(), std::back_inserter(metrics));
  return prometheus::TextSerializer().Serialize(metrics);
}

}  // namespace rollcall
