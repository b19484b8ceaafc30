#pragma once

// Serves a recording by rollcalld (setting `recording`, service/recording). Each target gets its
// responses in the recorded order, then the last one repeatedly. A response that was cut when
// recorded is cut at the same byte.
//
// Install it with Simulator::InjectFaults(). Any thread may call it.

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
  // Reads a whole recording into memory. The error says what is wrong with the folder.
  static absl::StatusOr<std::unique_ptr<Replay>> Load(const std::string& folder);

  // The response to this request; HTTP 404 if the recording has none for its target. Links lead to
  // `base_url`.
  Fault Next(const Request& request, absl::string_view base_url);

  // How to request what was recorded: the account keys for the upstreams' configuration, then one
  // command per list and participant, in the order of their first requests.
  std::vector<std::string> Instructions() const;

 private:
  struct Recorded {
    int status = 0;  // 0 if there was no response.
    std::string retry_after;
    std::string framing;
    std::string body;
    bool complete = false;
  };
  struct Target {
    std::vector<Recorded> answers;
    size_t next = 0;
  };

  std::vector<std::string> targets_;  // In the order of the first request for each.
  std::mutex mutex_;
  std::map<std::string, Target> answers_;  // Guarded by mutex_, except for the sizes.
};

}  // namespace rollcall::simulator
