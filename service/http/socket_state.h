// What the kernel and OpenSSL know of a connection between two of its requests. libcurl 7.88 reuses
// an HTTP/1.1 connection that has unread input, and takes that input for the next response; these
// checks find such input. For the thread of the connection's event loop.
#pragma once

#include <openssl/types.h>

namespace rollcall::service {

enum class UnreadInput {
  kNone,
  kUnknown,  // a part of a TLS record, whose kind is known only once it is complete
  kSome,     // application bytes, or the peer has closed or reset the connection
};

// What is to be read on a connection on which no response is due. `tls` is null on a connection
// without TLS. With TLS, messages that are TLS's own are read and do not count; the session tickets
// of TLS 1.3 among them do not get into libcurl's session cache. Takes no application bytes away.
UnreadInput CheckUnreadInput(int socket, SSL* tls);

// Whether the peer's TCP has not acknowledged all bytes that were sent. A peer that responds to a
// request has read it, so the first bytes of a true response acknowledge all of its request; a
// response that begins while this is true was sent before the request arrived.
bool HasUnacknowledgedOutput(int socket);

// Acknowledges what was received now rather than with the next request. A peer that collects small
// writes (Nagle's algorithm) then sends the rest of what it has before that request, where
// CheckUnreadInput() finds it.
void AcknowledgeInput(int socket);

}  // namespace rollcall::service
