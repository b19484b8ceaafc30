// Checks a configuration against the real upstreams: sends each API of each one request, with the
// upstream's credentials and the service's own HTTP client, for a list that does not exist. If the
// API says so, network, TLS, credentials, account and features are in order.
#pragma once

#include <ostream>
#include <vector>

#include "absl/status/status.h"
#include "service/environment/environment.h"
#include "service/upstream/upstream.h"

namespace rollcall::service {

// Sends all requests at once. Writes a line about each API to `out`, in the order of the
// configuration, as soon as this result and those before it are known; hints about the cause of a
// failure follow it. Writes no secrets, and none of the provider's own words. Returns within the
// upstreams' timeouts: OK if all APIs are in order, else UNAVAILABLE.
absl::Status CheckUpstreams(const std::vector<UpstreamOptions>& upstreams, const Environment& env,
                            std::ostream& out);

}  // namespace rollcall::service
