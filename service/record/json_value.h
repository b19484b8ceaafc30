// The JSON value that record schemas and the decoder are written against: simdjson's DOM, which
// picks the machine's best instructions when the program runs (its On-Demand API is tied to those
// of the compiler's target).
#pragma once

#include "simdjson.h"

namespace rollcall {

using JsonValue = simdjson::dom::element;

}  // namespace rollcall
