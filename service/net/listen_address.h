// Addresses that a server listens on, as the configuration file and the command line give them.
#pragma once

#include "absl/strings/string_view.h"

namespace rollcall::service {

// "host:port", where the host is a name, an IPv4 address or an IPv6 address in brackets.
inline constexpr absl::string_view kHostAndPortForm =
    "host:port, such as \"127.0.0.1:9464\" or \"0.0.0.0:9464\"";
bool IsHostAndPort(absl::string_view text);

// "host:port" or the address of a Unix socket: where callers can be served.
inline constexpr absl::string_view kListenForm =
    "host:port, such as \"127.0.0.1:50051\", \"0.0.0.0:50051\" or \"[::]:50051\", or "
    "\"unix:/path/to/socket\"";
bool IsListenAddress(absl::string_view text);

// Whether only this machine can reach a "host:port".
bool IsLoopback(absl::string_view host_and_port);

}  // namespace rollcall::service
