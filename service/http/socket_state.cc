#include "service/http/socket_state.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

namespace rollcall {
namespace {

enum class Input { kNone, kSome, kEnd };

Input PeekSocket(int socket) {
  char byte;
  const ssize_t size = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (size > 0) return Input::kSome;
  return size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? Input::kNone
                                                                                 : Input::kEnd;
}

// Has OpenSSL read what is there. Around libcurl's own BIO, which only works within libcurl's
// functions, so `tls` gets a BIO of the socket itself meanwhile. Behind an HTTPS proxy that BIO
// shows the proxy's TLS records, which `tls` cannot read: such a connection is not reused.
bool TlsHasApplicationBytes(int socket, SSL* tls) {
  BIO* const direct = BIO_new_socket(socket, BIO_NOCLOSE);
  if (direct == nullptr) return true;
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
  // A partial TLS record counts as input: its kind is known only once it is complete.
  return !nothing_yet || SSL_has_pending(tls) != 0;
}

}  // namespace

bool HasUnreadInput(int socket, SSL* tls) {
  const Input input = PeekSocket(socket);
  if (tls == nullptr || input == Input::kEnd) return input != Input::kNone;
  if (input == Input::kNone && SSL_has_pending(tls) == 0) return false;
  return TlsHasApplicationBytes(socket, tls);
}

bool HasUnconfirmedOutput(int socket) {
  int bytes = 0;
  return ioctl(socket, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

void ConfirmInput(int socket) {
  const int now = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_QUICKACK, &now, sizeof(now));
}

}  // namespace rollcall
