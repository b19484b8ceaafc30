// A configuration tried against the real upstreams: each API of each is asked once, with the
// upstream's credentials and by the service's own HTTP client, for a list that there is none of. To
// be told just that shows that network, TLS, credentials, account and features are good. Used by
// main(), for --check-upstreams.
#pragma once

#include <ostream>
#include <vector>

#include "absl/status/status.h"
#include "service/environment/environment.h"
#include "service/upstream/upstream.h"

namespace rollcall::service {

// Asks all APIs at once, and writes a line about each to `out`, in the order of the configuration
// and as soon as it and those before it are known; below it, what helps to find the cause. Nothing
// secret and no word of the provider's own is among it. Returns when the last is known, which takes
// no longer than the upstreams' timeouts. OK where all are good, else UNAVAILABLE.
absl::Status CheckUpstreams(const std::vector<UpstreamOptions>& upstreams, const Environment& env,
                            std::ostream& out);

}  // namespace rollcall::service
