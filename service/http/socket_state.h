// What the kernel and OpenSSL know of a connection between two of its requests. libcurl 7.88 reuses
// an HTTP/1.1 connection that has unread input, and takes that input for the next response; these
// checks find such input. For the thread of the connection's event loop.
#pragma once

#include <openssl/types.h>

namespace rollcall {

// Whether a connection on which no response is due has application bytes to be read, or has been
// ended or broken by the peer. `tls` is null on a connection without TLS. With TLS, messages that
// are TLS's own, such as the session tickets of TLS 1.3, are read and are not input. Takes no
// application bytes away.
bool HasUnreadInput(int socket, SSL* tls);

// Whether the peer's kernel has not confirmed all bytes that were sent. A peer that answers a
// request has read it, so the first bytes of a true response confirm all of its request; a response
// for which this is true was sent before the request arrived.
bool HasUnconfirmedOutput(int socket);

// Confirms what was received now rather than with the next request. A peer that collects small
// writes (Nagle's algorithm) then sends the rest of what it has before that request, where
// HasUnreadInput() finds it.
void ConfirmInput(int socket);

}  // namespace rollcall
