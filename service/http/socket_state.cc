#include "service/http/socket_state.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

namespace rollcall::service {
namespace {

enum class Bytes { kNone, kSome, kEnd };

Bytes PeekSocket(int socket) {
  char byte;
  const ssize_t size = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (size > 0) return Bytes::kSome;
  return size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? Bytes::kNone
                                                                                 : Bytes::kEnd;
}

// Lets OpenSSL read the input. libcurl's own BIO works only inside libcurl's functions, so `tls` is
// given a BIO of the socket during the call.
UnreadInput CheckTls(int socket, SSL* tls) {
  BIO* const direct = BIO_new_socket(socket, BIO_NOCLOSE);
  if (direct == nullptr) return UnreadInput::kUnknown;
  BIO* const read = SSL_get_rbio(tls);
  BIO* const write = SSL_get_wbio(tls);
  BIO_up_ref(read);
  BIO_up_ref(write);
  BIO_up_ref(direct);
  SSL_set0_rbio(tls, direct);
  SSL_set0_wbio(tls, direct);
  ERR_clear_error();
  char byte;
  const int size = SSL_peek(tls, &byte, 1);
  const bool nothing_yet = size <= 0 && SSL_get_error(tls, size) == SSL_ERROR_WANT_READ;
  ERR_clear_error();
  SSL_set0_rbio(tls, read);
  SSL_set0_wbio(tls, write);
  // Before TLS 1.3 the peer can ask for another handshake, which libcurl does not expect here.
  const bool renegotiates = SSL_version(tls) < TLS1_3_VERSION && SSL_in_init(tls) != 0;
  if (!nothing_yet || renegotiates) return UnreadInput::kSome;
  return SSL_has_pending(tls) != 0 ? UnreadInput::kUnknown : UnreadInput::kNone;
}

}  // namespace

UnreadInput CheckUnreadInput(int socket, SSL* tls) {
  const Bytes bytes = PeekSocket(socket);
  if (bytes == Bytes::kEnd) return UnreadInput::kSome;
  const bool has_bytes = bytes == Bytes::kSome;
  if (tls == nullptr) return has_bytes ? UnreadInput::kSome : UnreadInput::kNone;
  return has_bytes || SSL_has_pending(tls) != 0 ? CheckTls(socket, tls) : UnreadInput::kNone;
}

bool HasUnacknowledgedOutput(int socket) {
  int bytes = 0;
  return ioctl(socket, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

void AcknowledgeInput(int socket) {
  const int now = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &now, sizeof(now));
}

}  // namespace rollcall::service
