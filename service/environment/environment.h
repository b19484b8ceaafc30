// Environment variables, passed in as a function so that tests can replace them.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace rollcall::service {

// The value of an environment variable; nullopt if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// The variables of this process.
Environment ProcessEnvironment();

}  // namespace rollcall::service
