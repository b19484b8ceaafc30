// Reads the object `tls` of the configuration. Used by ParseConfig() only.
#pragma once

#include <optional>

#include "service/config/config.h"
#include "service/config/json_object_reader.h"

namespace rollcall {

// nullopt where the key is absent, or after a problem was noted. The files are there and good.
std::optional<TlsSettings> ReadTls(JsonObjectReader& document, Problems& problems);

}  // namespace rollcall
