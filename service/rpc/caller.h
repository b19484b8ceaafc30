// Who makes a call, as far as gRPC knows. Used by the participant service, on gRPC's threads.
#pragma once

#include <grpcpp/server_context.h>

#include <string>

#include "service/access/policy.h"

namespace rollcall {

// What the caller shows of itself: the names in its certificate, and the token of
// `authorization: Bearer TOKEN`. Metadata of that name in any other form is a token that is
// nobody's: empty.
Credentials CredentialsOf(const grpc::ServerContextBase& context);

// Whether the caller's certificate, if it shows one, is valid at this time. TLS looks at that when
// a connection is made, but not when a session is resumed, and a connection may outlive it.
bool HasValidCertificate(const grpc::ServerContextBase& context);

// Who that is where no policy has a name for it: the first name in its certificate, or else its
// address without the port, since one caller may have many connections.
std::string NameOf(const Credentials& credentials, const grpc::ServerContextBase& context);

}  // namespace rollcall
