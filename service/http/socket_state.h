// The state of a connection between two of its requests, as the kernel and OpenSSL know it. libcurl
// 7.88 reuses an HTTP/1.1 connection that has unread input, and takes that input for the next
// response; these checks find such input. To be called on the event loop's thread.
#pragma once

#include <openssl/types.h>

namespace rollcall::service {

enum class UnreadInput {
  kNone,
  kUnknown,  // part of a TLS record, whose type is known only once it is complete
  kSome,     // application bytes, or the peer has closed or reset the connection
};

// Looks for input on a connection on which no response is due. `tls` is null on a connection
// without TLS. With TLS, messages of the protocol itself are read and do not count; session tickets
// of TLS 1.3 then do not reach libcurl's session cache. Does not consume application bytes.
UnreadInput CheckUnreadInput(int socket, SSL* tls);

// Whether the peer's TCP has not acknowledged all bytes that were sent. A peer that responds to a
// request has read it, so the first bytes of its response acknowledge the whole request. A response
// that begins while this is true was sent before the request arrived.
bool HasUnacknowledgedOutput(int socket);

// Acknowledges received bytes now rather than with the next request. A peer that delays small
// writes (Nagle's algorithm) then sends the rest of its output before that request, so that
// CheckUnreadInput() finds it.
void AcknowledgeInput(int socket);

}  // namespace rollcall::service
