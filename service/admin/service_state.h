// A snapshot of the service for the admin server. Values of any thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "service/metrics/running_call.h"

namespace rollcall::service {

// The requests to one upstream.
struct UpstreamRequests {
  std::string upstream;
  int waiting = 0;
  int in_flight = 0;
  int stalled = 0;  // paused because their callers do not read
  int limit = 0;    // the present limit of requests in flight
  bool circuit_open = false;
};

// What the probes need. Cheap, because they need no token.
struct ServiceHealth {
  // How long ago the slowest event loop last measured its timer lag, which each does once a second.
  std::chrono::milliseconds silence_of_loops{};
  // How long ago gRPC last accepted a connection, which the service tests every few seconds.
  std::chrono::milliseconds silence_of_listener{};
  bool draining = false;
};

struct ServiceState {
  std::vector<UpstreamRequests> upstreams;
  std::vector<RunningCall> calls;
  std::vector<int> calls_of_loops;  // for each event loop
  bool draining = false;
};

// Functions of the running service, for any thread.
struct ServiceSource {
  std::function<ServiceState()> state;
  std::function<ServiceHealth()> health;
};

}  // namespace rollcall::service
