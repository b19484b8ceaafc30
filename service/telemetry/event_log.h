// The service's log: one line of JSON an event, for machines to collect and people to grep. Written
// to by whoever has something to say to the operator, from any thread. What goes in must be free of
// credentials and personal data; docs/operations.md lists the events and their fields.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/string_view.h"

namespace spdlog::sinks {
class sink;
}  // namespace spdlog::sinks

namespace rollcall {

class EventLog {
 public:
  // `sink` is where lines go, and must be safe to use from several threads.
  explicit EventLog(std::shared_ptr<spdlog::sinks::sink> sink);

  // Something that needs a person's attention, but no person at once. The members of `fields`
  // follow time, level and event.
  void Warn(absl::string_view event, const nlohmann::ordered_json& fields);

 private:
  const std::shared_ptr<spdlog::sinks::sink> sink_;
};

}  // namespace rollcall
