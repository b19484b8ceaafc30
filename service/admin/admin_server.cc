#include "service/admin/admin_server.h"

#include <microhttpd.h>
#include <netdb.h>
#include <openssl/crypto.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace rollcall::service {
namespace {

// Enough for a scraper and some browsers. The limit per address keeps one client from taking all
// connections.
constexpr unsigned kMaxConnections = 64;
constexpr unsigned kMaxConnectionsPerAddress = 16;
constexpr unsigned kIdleTimeoutSeconds = 5;
// For the headers of a request and of its response.
constexpr size_t kMemoryPerConnection = size_t{16} << 10;
constexpr int kBacklog = 64;

absl::Status CannotListen(const std::string& listen, absl::string_view why) {
  return absl::UnavailableError(absl::StrCat("cannot serve metrics on ", listen, ": ", why));
}

// A socket that listens on the first possible address of the name, or the error of the last one.
absl::StatusOr<int> Listen(const std::string& listen) {
  const size_t colon = listen.rfind(':');
  absl::string_view host = absl::string_view(listen).substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(std::string(host).c_str(), listen.c_str() + colon + 1, &hints, &found);
  if (error != 0) return CannotListen(listen, gai_strerror(error));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  int why = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int descriptor =
        socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
    if (descriptor >= 0) {
      // A restart must not wait until old connections have left TIME_WAIT. "[::]" includes IPv4.
      const int on = 1;
      const int off = 0;
      setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
      if (address->ai_family == AF_INET6) {
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
      }
      if (bind(descriptor, address->ai_addr, address->ai_addrlen) == 0 &&
          ::listen(descriptor, kBacklog) == 0) {
        return descriptor;
      }
    }
    why = errno;
    if (descriptor >= 0) close(descriptor);
  }
  return CannotListen(listen, std::strerror(why));
}

std::string PortOf(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  std::array<char, NI_MAXSERV> port{};
  if (getsockname(descriptor, plain, &size) != 0 ||
      getnameinfo(plain, size, nullptr, 0, port.data(), static_cast<socklen_t>(port.size()),
                  NI_NUMERICSERV) != 0) {
    return "0";
  }
  return port.data();
}

}  // namespace

// libmicrohttpd's callbacks.
class AdminServer::Handler {
 public:
  Handler(std::optional<CurrentSecret> token, Pages pages)
      : token_(std::move(token)), pages_(std::move(pages)) {}
  ~Handler() {
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

  // Takes ownership of the socket.
  bool Start(int descriptor) {
    daemon_ = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, nullptr, nullptr, &Handler::OnRequest, this,
        MHD_OPTION_LISTEN_SOCKET, descriptor, MHD_OPTION_CONNECTION_LIMIT, kMaxConnections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, kMaxConnectionsPerAddress,
        MHD_OPTION_CONNECTION_TIMEOUT, kIdleTimeoutSeconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        kMemoryPerConnection, MHD_OPTION_END);
    if (daemon_ == nullptr) close(descriptor);
    return daemon_ != nullptr;
  }

 private:
  static MHD_Result OnRequest(void* self, MHD_Connection* connection, const char* path,
                              const char* method, const char* /*version*/, const char* /*upload*/,
                              size_t* /*upload_size*/, void** /*state*/) {
    return static_cast<Handler*>(self)->Answer(*connection, path, method);
  }

  MHD_Result Answer(MHD_Connection& connection, const char* path, absl::string_view method) {
    const auto page = pages_.find(path);
    if ((page == pages_.end() || page->second.needs_token) && !IsAllowed(connection)) {
      return Send(connection, MHD_HTTP_UNAUTHORIZED, Plain("a token is required\n"),
                  MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    }
    if (page == pages_.end()) return Send(connection, MHD_HTTP_NOT_FOUND, Plain("no such page\n"));
    if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD) {
      return Send(connection, MHD_HTTP_METHOD_NOT_ALLOWED, Plain("only GET and HEAD\n"),
                  MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    const Page made = page->second.make();
    return Send(connection, static_cast<unsigned>(made.status), made);
  }

  static Page Plain(std::string text) { return {"text/plain; charset=utf-8", std::move(text)}; }

  // The comparison takes constant time for tokens of the same length.
  bool IsAllowed(MHD_Connection& connection) const {
    if (!token_) return true;
    const char* const header =
        MHD_lookup_connection_value(&connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    absl::string_view given = header == nullptr ? "" : header;
    constexpr absl::string_view kScheme = "Bearer ";
    if (!absl::StartsWithIgnoreCase(given, kScheme)) return false;
    given.remove_prefix(kScheme.size());
    const Secret secret = token_->get();
    const std::string& token = secret.reveal();
    return given.size() == token.size() &&
           CRYPTO_memcmp(given.data(), token.data(), token.size()) == 0;
  }

  static MHD_Result Send(MHD_Connection& connection, unsigned status, const Page& page,
                         const char* header = nullptr, const char* value = nullptr) {
    // libmicrohttpd keeps a copy while the client reads it.
    MHD_Response* const response = MHD_create_response_from_buffer(
        page.body.size(), const_cast<char*>(page.body.data()), MHD_RESPMEM_MUST_COPY);
    if (response == nullptr) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, page.content_type.c_str());
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    // Pages load nothing else.
    MHD_add_response_header(response, "Content-Security-Policy",
                            "default-src 'none'; style-src 'unsafe-inline'; "
                            "frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
    if (header != nullptr) MHD_add_response_header(response, header, value);
    const MHD_Result result = MHD_queue_response(&connection, status, response);
    MHD_destroy_response(response);
    return result;
  }

  const std::optional<CurrentSecret> token_;
  const Pages pages_;
  MHD_Daemon* daemon_ = nullptr;
};

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(const std::string& listen,
                                                                std::optional<CurrentSecret> token,
                                                                Pages pages) {
  const absl::StatusOr<int> descriptor = Listen(listen);
  if (!descriptor.ok()) return descriptor.status();
  std::string url = absl::StrCat("http://", absl::string_view(listen).substr(0, listen.rfind(':')),
                                 ":", PortOf(*descriptor));
  auto handler = std::make_unique<Handler>(std::move(token), std::move(pages));
  if (!handler->Start(*descriptor)) {
    return CannotListen(listen, "libmicrohttpd cannot start");
  }
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(handler), std::move(url)));
}

AdminServer::AdminServer(std::unique_ptr<Handler> handler, std::string url)
    : handler_(std::move(handler)), url_(std::move(url)) {}

AdminServer::~AdminServer() = default;

}  // namespace rollcall::service
