#include "tests/end_to_end/keep_alive_server.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <stdexcept>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace rollcall {
namespace {

// Waits until the peer's TCP has acknowledged everything, or the connection is over.
void WaitForDelivery(int socket) {
  int bytes = 0;
  pollfd connection{.fd = socket, .events = 0, .revents = 0};
  while (ioctl(socket, SIOCOUTQ, &bytes) == 0 && bytes > 0 && poll(&connection, 1, 1) == 0) {
  }
}

using TlsContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

TlsContext MakeTls(const Certificate& certificate, int version) {
  TlsContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  const auto read = [](const std::string& pem, auto* reader) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
    return reader(bio.get(), nullptr, nullptr, nullptr);
  };
  const std::unique_ptr<X509, decltype(&X509_free)> own(
      read(certificate.certificate(), &PEM_read_bio_X509), X509_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      read(certificate.key(), &PEM_read_bio_PrivateKey), EVP_PKEY_free);
  if (SSL_CTX_use_certificate(context.get(), own.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1 ||
      SSL_CTX_set_min_proto_version(context.get(), version) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), version) != 1) {
    throw std::runtime_error("cannot set up TLS for the server");
  }
  return context;
}

}  // namespace

// One connection. Writes are buffered until Flush(), which sends them in one piece.
class KeepAliveServer::Wire {
 public:
  Wire(int socket, SSL_CTX* tls) : socket_(socket), tls_(nullptr, SSL_free) {
    if (tls == nullptr) return;
    // Otherwise Nagle's algorithm delays the response until the client acknowledges the session
    // tickets.
    const int no_delay = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof(no_delay));
    tls_.reset(SSL_new(tls));
    SSL_set_fd(tls_.get(), socket);
  }

  int socket() const { return socket_; }

  bool Handshake() {
    if (tls_ == nullptr) return true;
    if (SSL_accept(tls_.get()) != 1) return false;
    output_ = BIO_new(BIO_s_mem());
    SSL_set0_wbio(tls_.get(), output_);
    return true;
  }

  std::optional<std::string> ReadHead() {
    while (!absl::StrContains(input_, "\r\n\r\n")) {
      std::array<char, 4096> piece{};
      const int size = tls_ != nullptr
                           ? SSL_read(tls_.get(), piece.data(), static_cast<int>(piece.size()))
                           : static_cast<int>(recv(socket_, piece.data(), piece.size(), 0));
      if (size <= 0) return std::nullopt;
      input_.append(piece.data(), static_cast<size_t>(size));
    }
    const size_t end = input_.find("\r\n\r\n") + 4;
    std::string head = input_.substr(0, end);
    input_.erase(0, end);
    return head;
  }

  void Write(const std::string& bytes) {
    if (bytes.empty()) return;
    if (tls_ == nullptr) {
      pending_ += bytes;
    } else {
      SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
    }
  }

  void WriteTicket() {
    if (tls_ == nullptr || SSL_new_session_ticket(tls_.get()) != 1) return;
    SSL_do_handshake(tls_.get());
  }

  void WriteHelloRequest() {
    if (tls_ == nullptr || SSL_renegotiate(tls_.get()) != 1) return;
    SSL_do_handshake(tls_.get());
  }

  void WriteCloseNotify() {
    if (tls_ != nullptr) SSL_shutdown(tls_.get());
  }

  bool Flush() {
    if (output_ != nullptr) {
      char* bytes = nullptr;
      const long size = BIO_get_mem_data(output_, &bytes);
      pending_.append(bytes, static_cast<size_t>(size));
      BIO_reset(output_);
    }
    return SendAll(socket_, std::exchange(pending_, {}));
  }

 private:
  const int socket_;
  std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
  BIO* output_ = nullptr;  // owned by tls_
  std::string pending_;
  std::string input_;
};

KeepAliveServer::KeepAliveServer(Options options, Handler handler)
    : options_(std::move(options)),
      tls_(options_.tls_version ? MakeTls(authority_.Sign("localhost"), *options_.tls_version)
                                : TlsContext(nullptr, SSL_CTX_free)),
      handler_(std::move(handler)),
      server_([this](int socket) { Serve(socket); }, options_.receive_buffer_bytes) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL.
}

KeepAliveServer::~KeepAliveServer() = default;

std::string KeepAliveServer::url() const {
  return options_.tls_version ? absl::StrCat("https://localhost:", server_.port()) : server_.url();
}

void KeepAliveServer::SetHandler(Handler handler) {
  const std::lock_guard lock(mutex_);
  handler_ = std::move(handler);
}

std::vector<KeepAliveServer::Request> KeepAliveServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

bool KeepAliveServer::WaitForReplies(size_t count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return replies_ >= count; });
}

void KeepAliveServer::Serve(int socket) {
  Request request{};
  {
    const std::lock_guard lock(mutex_);
    request.connection = accepted_++;
  }
  Wire wire(socket, tls_.get());
  if (wire.Handshake()) {
    while (Answer(wire, request)) ++request.number;
  }
  shutdown(socket, SHUT_RDWR);
}

// False if the connection is over.
bool KeepAliveServer::Answer(Wire& wire, const Request& request) {
  Request whole = request;
  const bool is_early = options_.answers_early && request.number > 0;
  if (is_early) {
    char byte;
    if (recv(wire.socket(), &byte, 1, MSG_PEEK) <= 0) return false;
  } else {
    const std::optional<std::string> head = wire.ReadHead();
    if (!head) return false;
    const std::vector<std::string> words = absl::StrSplit(*head, absl::MaxSplits(' ', 2));
    if (words.size() < 2) return false;
    whole.target = words[1];
  }
  Handler handler;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(whole);
    handler = handler_;
  }
  const Reply reply = handler(whole);
  wire.Write(reply.response);
  bool sent = reply.at_once || wire.Flush();
  if (reply.ticket) wire.WriteTicket();
  if (reply.renegotiate) wire.WriteHelloRequest();
  wire.Write(reply.unsolicited);
  if (reply.end == Reply::End::kClose) wire.WriteCloseNotify();
  sent = wire.Flush() && sent;
  WaitForDelivery(wire.socket());
  if (reply.end == Reply::End::kReset) {
    const sockaddr nowhere{.sa_family = AF_UNSPEC, .sa_data = {}};
    connect(wire.socket(), &nowhere, sizeof(nowhere));  // resets the connection
  } else if (reply.end == Reply::End::kClose) {
    shutdown(wire.socket(), SHUT_WR);
  }
  {
    const std::lock_guard lock(mutex_);
    ++replies_;
  }
  changed_.notify_all();
  if (reply.end != Reply::End::kNone) {
    wire.ReadHead();  // returns when the client closes, too
    return false;
  }
  return sent && !is_early;
}

}  // namespace rollcall
