// An event log that writes to memory.
#pragma once

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "service/log/event_log.h"

namespace rollcall::service {

class TestLog {
 public:
  EventLog& log() { return log_; }
  std::string text() const { return text_.str(); }

  // The lines, without the time.
  std::vector<nlohmann::json> Lines() const {
    std::vector<nlohmann::json> lines;
    std::istringstream text(text_.str());
    for (std::string line; std::getline(text, line);) {
      lines.push_back(nlohmann::json::parse(line));
      lines.back().erase("time");
    }
    return lines;
  }

 private:
  static std::shared_ptr<spdlog::logger> LoggerTo(std::ostream& text) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(text);
    sink->set_pattern("%v");
    return std::make_shared<spdlog::logger>("", sink);
  }

  std::ostringstream text_;
  EventLog log_{LoggerTo(text_)};
};

}  // namespace rollcall::service
