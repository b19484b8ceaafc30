// Reads the upstreams of the configuration: for each its account, in the form of its provider. Used
// by those who read the configuration only.
#pragma once

#include <vector>

#include "service/config/config.h"
#include "service/config/json_object_reader.h"

namespace rollcall {

// The array "upstreams" of the document. What is wrong is noted, and left out of the result.
std::vector<UpstreamConfig> ReadUpstreams(JsonObjectReader& document, const Environment& env,
                                          Problems& problems);

}  // namespace rollcall
