// Whether the texts of PEM files are of any use for TLS. gRPC would find out when it is to connect,
// put it into its log, and fail the call as if there were no server. Used by ReadChannelOptions().
#pragma once

#include <string>

namespace rollcall {

// Whether there is at least one certificate, and none that is broken.
bool HoldsCertificates(const std::string& pem);

// Whether there is a private key that needs no password.
bool HoldsPrivateKey(const std::string& pem);

// Whether the key is that of the first certificate.
bool BelongTogether(const std::string& certificate_pem, const std::string& key_pem);

}  // namespace rollcall
