// How the requests to one upstream travel: TLS, HTTP version, proxy and timeouts.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace rollcall::service {

enum class TlsVersion { k12, k13 };

struct TransportOptions {
  // The PEM file of the authorities that may sign the upstream's certificates; empty: the system's.
  std::string ca_file = {};
  // The oldest version that connections to https URLs may use.
  TlsVersion min_tls_version = TlsVersion::k12;
  // Whether requests to https URLs share connections if the provider speaks HTTP/2.
  bool http2 = false;
  // The URL of the HTTP proxy for https URLs; empty: no proxy. Absent: as libcurl's environment
  // variables say.
  std::optional<std::string> proxy = {};
  // The longest time that connecting may take.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  // The longest time without a byte from the provider.
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(60);
};

}  // namespace rollcall::service
