#include "service/telemetry/telemetry.h"

#include <prometheus/exposer.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <exception>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rollcall {

Telemetry::Telemetry(const std::vector<std::string>& upstreams)
    : log_(std::make_shared<spdlog::sinks::stderr_sink_mt>()),
      registry_(std::make_shared<prometheus::Registry>()) {
  for (const std::string& upstream : upstreams) {
    participants_[upstream] = std::make_unique<ParticipantMonitor>(upstream, *registry_, log_);
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

absl::StatusOr<std::string> Telemetry::ServeMetrics(const std::string& listen) {
  try {
    exposer_ = std::make_unique<prometheus::Exposer>(listen);
  } catch (const std::exception&) {
    // The exception knows no more than that.
    return absl::UnavailableError(
        absl::StrCat("cannot serve metrics on ", listen,
                     ": the address is in use, not this machine's, or IPv6, which the metrics "
                     "server is often built without"));
  }
  exposer_->RegisterCollectable(registry_);
  const absl::string_view host = absl::string_view(listen).substr(0, listen.rfind(':'));
  return absl::StrCat("http://", host, ":", exposer_->GetListeningPorts().front(), "/metrics");
}

}  // namespace rollcall
