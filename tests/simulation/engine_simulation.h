// Lists, callers, replicas and a provider on a simulated network and clock. The engine is the one
// that is shipped: pager, requests, limiter, breaker, retries, replay cursor, page reader, decoder,
// tokens and send queue. A seed draws everything else: latencies, broken and malformed responses,
// 429s, expired page tokens, slow callers, callers that stop and resume, replicas that drain. The
// same seed gives the same run.
#pragma once

#include <cstdint>
#include <string>

namespace rollcall::simulation {

struct Result {
  std::string violation;  // of an invariant; empty if there was none
  // What happened, to see that a run exercises what it should.
  int calls = 0;
  int requests = 0;
  int faults = 0;
  int records = 0;
  int duplicates = 0;
  int drains = 0;
};

// Invariants: each caller receives the records of its list in order and each once, up to the end of
// the list, over all its calls; a call fails only for a reason that the simulated provider or
// replica gave; everything ends; requests in flight and connections stay within their limits; a
// queue holds at most its limit and one message; afterwards no request, permit or timer is left.
Result Simulate(uint64_t seed);

}  // namespace rollcall::simulation
