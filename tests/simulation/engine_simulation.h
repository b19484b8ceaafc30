// Lists, callers, replicas and a provider on a simulated network and clock. The engine is the
// shipped code: pager, requests, limiter, breaker, retries, replay cursor, page reader, decoder,
// tokens and send queue. A seed determines everything else: latencies, broken and malformed
// responses, 429s, expired page tokens, slow callers, callers that stop and resume, replicas that
// drain. The same seed gives the same run.
#pragma once

#include <cstdint>
#include <string>

namespace rollcall::service::simulation {

struct Result {
  std::string violation;  // the violated invariant; empty if there was none
  // Counters that show whether a run exercises what it should.
  int calls = 0;
  int requests = 0;
  int records = 0;
  int faults = 0;
  int expired_pages = 0;
  int duplicates = 0;       // records skipped
  int crashes = 0;          // of callers
  int partial_batches = 0;  // crashes in the middle of a batch
  int drains = 0;
  int breaker_openings = 0;
  int queue_full = 0;     // calls refused
  int times_waiting = 0;  // steps with a request that waits for a permit
  int times_stalled = 0;  // steps with a stalled request

  bool operator==(const Result&) const = default;
};

// Invariants: each caller receives the records of its list in order, each once, up to the end of
// the list, over all its calls. A call fails only for a reason that the simulated provider, caller
// or replica gave, and not before the configured attempts. Requests on the transport stay within
// the limits of requests in flight and of connections. A queue contains at most its limit, one
// participant and tokens, and every decoded record is written. Everything ends, and leaves no
// request, permit or timer.
//
// Not simulated: gRPC (the simulation's Call replaces ListCall), deadlines, callers' limits, pages
// whose records change their order or have a sid twice.
Result Simulate(uint64_t seed);

}  // namespace rollcall::service::simulation
