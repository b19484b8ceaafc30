// Reads the PEM files of certificates and keys, and finds out whether they are usable, so that
// what is wrong with them is told to the operator and not to callers. Used when the configuration
// is read and whenever the files have changed, on any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "service/config/config.h"
#include "service/config/json_object_reader.h"
#include "service/config/secret.h"

namespace rollcall {

// A PEM file that is longer is a mistake.
inline constexpr std::size_t kMaxPemBytes = std::size_t{4} << 20;

// What the files of TlsSettings hold, in PEM form.
struct TlsFiles {
  std::string certificate;  // and its chain
  Secret private_key;
  std::string client_ca;  // empty where there is none
  absl::Time not_after;   // of the first certificate
};

// The text of a file that holds at least one certificate, and none that is broken.
absl::StatusOr<std::string> ReadCertificates(const std::string& path);

// Reads the files anew. Certificate and key belong together, and the certificate has not
// expired; one that is not valid yet is taken, since clocks differ.
// nullopt after problems were noted under the keys that name the files.
std::optional<TlsFiles> ReadTlsFiles(const TlsSettings& settings, Problems& problems);

}  // namespace rollcall
