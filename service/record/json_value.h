// The JSON value type of record schemas and the decoder. It is simdjson's DOM, which selects the
// CPU's best instruction set at run time. The On-Demand API would fix it at compile time.
#pragma once

#include "simdjson.h"

namespace rollcall::service {

using JsonValue = simdjson::dom::element;

}  // namespace rollcall::service
