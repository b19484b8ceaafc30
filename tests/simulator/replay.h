#pragma once

// Serves what rollcalld recorded (its `recording`, service/recording): each target's answers in the
// order in which they were asked for, the last one again and again. What was cut is cut there.
//
// Used by provider-simulator --replay and by tests, as the direction of a Simulator. Any thread may
// call it.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/simulator/request.h"
#include "tests/simulator/simulator.h"

namespace rollcall::simulator {

class Replay {
 public:
  // Reads the folder of a recording, the whole of it. An error says what is wrong with it.
  static absl::StatusOr<std::unique_ptr<Replay>> Load(const std::string& folder);

  // What the request gets: HTTP 404 where nothing was recorded for its target. Links lead to
  // `base_url`.
  Direction Next(const Request& request, absl::string_view base_url);

  // How to ask for what was recorded: the keys of the upstreams' configuration, and then a command
  // for each list and each participant, in the order in which they were first asked for.
  std::vector<std::string> Instructions() const;

 private:
  struct Recorded {
    int status = 0;  // none where there was no answer
    std::string retry_after;
    std::string framing;
    std::string body;
    bool complete = false;
  };
  struct Target {
    std::vector<Recorded> answers;
    size_t next = 0;
  };

  std::vector<std::string> targets_;  // in the order of the first request for each
  std::mutex mutex_;
  std::map<std::string, Target> answers_;  // guarded by mutex_, but for the sizes
};

}  // namespace rollcall::simulator
