// Which argument of the command line sets a field of a request.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace rollcall {

// The option ("--upstream") or positional argument ("conference") that sets a field of a request.
// Empty if there is none. `field` is a path in the request, as in google.rpc.BadRequest.
std::string ArgumentOf(absl::string_view field);

}  // namespace rollcall
