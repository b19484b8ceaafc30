// The service at one moment, as the operator's port shows it. Made by the server, for Telemetry.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "service/telemetry/log_value.h"

namespace rollcall {

enum class CallMethod { kList, kGet };

// "ListParticipants".
inline const char* NameOf(CallMethod method) {
  return method == CallMethod::kList ? "ListParticipants" : "GetParticipant";
}

// A call that runs.
struct RunningCall {
  CallMethod method = CallMethod::kList;
  Identifier caller;
  Identifier upstream;
  Identifier query;  // the field of the request that names what is asked for
  Identifier request_id;
  std::chrono::steady_clock::time_point began;
  int64_t records = 0;      // handed to gRPC, or waiting for it
  size_t queued_bytes = 0;  // of records that the caller has not taken
};

// The requests to one upstream.
struct UpstreamRequests {
  std::string upstream;
  int waiting = 0;
  int in_flight = 0;
  int stalled = 0;  // paused because their callers do not read
  int limit = 0;    // of those in flight, as it is now
  bool circuit_open = false;
};

struct ServiceState {
  std::vector<UpstreamRequests> upstreams;
  std::vector<RunningCall> calls;
  std::vector<int> calls_of_loops;  // of each event loop
  // Since the event loop that is the most behind has last looked at its timers, which each does
  // once a second.
  std::chrono::milliseconds silence_of_loops{};
  bool draining = false;
};

}  // namespace rollcall
