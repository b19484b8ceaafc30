#pragma once

// A request that the simulator received.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace rollcall::simulator {

struct Request {
  std::string method;
  std::string target;  // The path with its query, not decoded.
  std::vector<std::pair<std::string, std::string>> headers;

  // Value of the first header of that name in any case; empty if there is none.
  std::string Header(absl::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (absl::EqualsIgnoreCase(key, name)) return value;
    }
    return "";
  }
};

}  // namespace rollcall::simulator
