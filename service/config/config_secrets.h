// The secrets of a configuration, with the names that logs and metrics have for them.
#pragma once

#include <vector>

#include "service/config/config.h"
#include "service/secrets/secret_watch.h"

namespace rollcall::service {

// All secrets, whether they are in files of their own or not.
std::vector<NamedSecret> SecretsOf(const Config& config);

}  // namespace rollcall::service
