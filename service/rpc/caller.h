// Identifies the caller of a gRPC call. On gRPC's threads.
#pragma once

#include <grpcpp/server_context.h>

#include <string>

#include "service/access/policy.h"

namespace rollcall::service {

// The caller's credentials: the names in its certificate, and the token of
// `authorization: Bearer TOKEN`. For `authorization` in any other form, the token is empty, which
// matches no caller.
Credentials CredentialsOf(const grpc::ServerContextBase& context);

// Whether the caller's certificate, if there is one, is valid now. TLS checks that in a full
// handshake only, not if a session is resumed, and a connection may outlive the certificate.
bool HasValidCertificate(const grpc::ServerContextBase& context);

// The caller's name if the policy has none: the first name in its certificate, or else its address
// without the port, because one caller may have several connections.
std::string NameOf(const Credentials& credentials, const grpc::ServerContextBase& context);

}  // namespace rollcall::service
