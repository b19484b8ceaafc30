#include "service/telemetry/event_log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/sink.h>

#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace rollcall {

EventLog::EventLog(std::shared_ptr<spdlog::sinks::sink> sink) : sink_(std::move(sink)) {
  sink_->set_pattern("%v");
}

void EventLog::Warn(absl::string_view event, const nlohmann::ordered_json& fields) {
  nlohmann::ordered_json line = {
      {"time", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone())},
      {"level", "warn"},
      {"event", std::string(event)}};
  line.update(fields);
  // In ASCII alone, nothing in a value can steer a terminal or end the line.
  constexpr bool kAsciiOnly = true;
  const std::string text =
      line.dump(-1, ' ', kAsciiOnly, nlohmann::ordered_json::error_handler_t::replace);
  sink_->log(spdlog::details::log_msg("", spdlog::level::warn, text));
}

}  // namespace rollcall
