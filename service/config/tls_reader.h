// Reads the object `tls` of the configuration.
#pragma once

#include <optional>

#include "service/json/json_object_reader.h"
#include "service/tls/tls_files.h"

namespace rollcall::service {

// nullopt if the key is absent or after a problem was added. The files exist and are valid.
std::optional<ServerTlsOptions> ReadTls(JsonObjectReader& document, Problems& problems);

}  // namespace rollcall::service
