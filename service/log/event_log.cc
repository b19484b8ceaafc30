#include "service/log/event_log.h"

#include <spdlog/logger.h>

#include <string>
#include <utility>

namespace rollcall::service {
namespace {

std::string Line(Word level, Word event, const EventLog::Fields& fields) {
  nlohmann::ordered_json line = {
      {"time", LogTime()}, {"level", level.text()}, {"event", event.text()}};
  for (const LogField& field : fields) line[field.name.text()] = field.value.json();
  // ASCII only, so that no value can control a terminal or end the line.
  constexpr bool kAsciiOnly = true;
  return line.dump(-1, ' ', kAsciiOnly, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

EventLog::EventLog(std::shared_ptr<spdlog::logger> logger) : logger_(std::move(logger)) {}

void EventLog::Info(Word event, const Fields& fields) {
  logger_->info(Line("info", event, fields));
}

void EventLog::Warn(Word event, const Fields& fields) {
  logger_->warn(Line("warn", event, fields));
}

void EventLog::Error(Word event, const Fields& fields) {
  logger_->error(Line("error", event, fields));
}

}  // namespace rollcall::service
