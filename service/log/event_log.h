// The service's log: one JSON object per line, for log collectors and grep. Thread-safe; logging
// never blocks. The value types (log_value.h) keep credentials and personal data out.
// docs/operations.md lists the events and their fields.
#pragma once

#include <memory>
#include <vector>

#include "service/log/log_value.h"

namespace spdlog {
class logger;
}  // namespace spdlog

namespace rollcall::service {

class EventLog {
 public:
  using Fields = std::vector<LogField>;

  // `logger` receives the lines, without a line end. It must be thread-safe.
  explicit EventLog(std::shared_ptr<spdlog::logger> logger);

  // Each writes one line: time, level and event, then `fields`.

  // For later reference.
  void Info(Word event, const Fields& fields);
  // Needs attention, but not at once.
  void Warn(Word event, const Fields& fields);
  // Calls fail, and continue to fail until the cause is removed.
  void Error(Word event, const Fields& fields);

 private:
  const std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace rollcall::service
