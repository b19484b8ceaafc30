// Checks the contents of PEM files for TLS. Without these checks, gRPC would find an error when it
// connects, write it to its log, and fail the call as if the server were unreachable.
#pragma once

#include <string>

namespace rollcall {

// Whether there is at least one certificate, and no malformed one.
bool HoldsCertificates(const std::string& pem);

// Whether there is a private key without a password.
bool HoldsPrivateKey(const std::string& pem);

// Whether the private key matches the first certificate.
bool BelongTogether(const std::string& certificate_pem, const std::string& key_pem);

}  // namespace rollcall
