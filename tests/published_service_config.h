// client/service_config.json as it is published for callers without the C++ client library.
#pragma once

namespace rollcall {

extern const char* const kPublishedServiceConfigJson;

}  // namespace rollcall
