// The effective configuration as the status page shows it: without the accounts, and of a secret
// only whether there is one.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "service/config/config.h"

namespace rollcall::service {

// Keys by their path in the configuration file, each with its value as text, in the file's order.
std::vector<std::pair<std::string, std::string>> Summarize(const Config& config);

}  // namespace rollcall::service
