// Reads the PEM files of certificates and keys and checks that they can be used, so that the
// operator learns of a problem at start or at a reload, rather than callers at each connection. Any
// thread may call the functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "service/json/json_object_reader.h"
#include "service/secrets/secret.h"

namespace rollcall::service {

// A PEM file that is longer is a mistake.
inline constexpr std::size_t kMaxPemBytes = std::size_t{4} << 20;

// TLS for callers.
struct ServerTlsOptions {
  enum class ClientCertificates { kNone, kOptional, kRequired };

  // Paths of PEM files: the service's certificate with its chain, and its private key.
  std::string certificate_file;
  std::string private_key_file;
  // The authorities that may sign callers' certificates. Empty: callers are not asked for one.
  std::string client_ca_file;
  ClientCertificates client_certificates = ClientCertificates::kNone;
};

// The contents of these files, in PEM form.
struct TlsFiles {
  std::string certificate;  // and its chain
  Secret private_key;
  std::string client_ca;  // empty if there is none
  absl::Time not_after;   // of the first certificate
};

// Reads a file that must hold at least one certificate, and no broken one.
absl::StatusOr<std::string> ReadCertificates(const std::string& path);

// Reads the files, and checks that the key matches the certificate and that the certificate has not
// expired. One that is not valid yet is accepted, because clocks differ. nullopt after problems
// were added under the keys that name the files.
std::optional<TlsFiles> ReadTlsFiles(const ServerTlsOptions& options, Problems& problems);

}  // namespace rollcall::service
