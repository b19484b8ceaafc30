// Reads the upstreams of the configuration. Each provider has keys of its own for the account.
#pragma once

#include <vector>

#include "service/environment/environment.h"
#include "service/json/json_object_reader.h"
#include "service/upstream/upstream.h"

namespace rollcall::service {

// Reads the array "upstreams" of the document. Wrong upstreams add problems and are not returned.
std::vector<UpstreamOptions> ReadUpstreams(JsonObjectReader& document, const Environment& env,
                                           Problems& problems);

}  // namespace rollcall::service
