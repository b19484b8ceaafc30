// The service's log: one line of JSON an event, for machines to collect and people to grep. Written
// to by whoever has something to say to the operator, from any thread; nobody waits for the line to
// be written. What goes in is free of credentials and personal data by its type (log_value.h);
// docs/operations.md lists the events and their fields.
#pragma once

#include <memory>
#include <vector>

#include "service/log/log_value.h"

namespace spdlog {
class logger;
}  // namespace spdlog

namespace rollcall {

class EventLog {
 public:
  using Fields = std::vector<LogField>;

  // `logger` is given the lines, without an end of line, and must be safe to use from several
  // threads.
  explicit EventLog(std::shared_ptr<spdlog::logger> logger);

  // Each writes a line, in which `fields` follow time, level and event.

  // What is to be known later.
  void Info(Word event, const Fields& fields);
  // Something that needs a person's attention, but no person at once.
  void Warn(Word event, const Fields& fields);
  // Calls fail, and go on to fail until a person, or the provider, does something.
  void Error(Word event, const Fields& fields);

 private:
  const std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace rollcall
