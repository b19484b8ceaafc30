#include "service/http/http_client.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "service/error/error.h"
#include "service/http/curl_error.h"
#include "service/http/socket_state.h"

namespace rollcall {
namespace {

constexpr long kMaxConnectionsKept = 512;
constexpr size_t kMaxHeaderBytes = size_t{256} << 10;
constexpr char kUserAgent[] = "rollcall/" ROLLCALL_VERSION;

using HeaderList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

HeaderList TraceHeadersOf(const TraceContext& trace) {
  HeaderList headers(nullptr, curl_slist_free_all);
  const auto add = [&headers](absl::string_view name, absl::string_view value) {
    if (value.empty()) return;
    curl_slist* const longer =
        curl_slist_append(headers.get(), absl::StrCat(name, ": ", value).c_str());
    if (longer == nullptr) throw std::bad_alloc();
    headers.release();
    headers.reset(longer);
  };
  add("traceparent", trace.NewTraceparent());
  add("tracestate", trace.tracestate());
  add("X-Request-Id", trace.request_id());
  return headers;
}

// Whether a request may go through an HTTPS proxy, and so through TLS within TLS.
bool MayUseHttpsProxy(const std::optional<std::string>& proxy) {
  const auto is_https = [](absl::string_view url) {
    return absl::StartsWithIgnoreCase(url, "https://");
  };
  if (proxy) return is_https(*proxy);
  const auto from_environment = [&](const char* name) {
    const char* const url = std::getenv(name);
    return url != nullptr && is_https(url);
  };
  static const bool kInEnvironment = from_environment("https_proxy") ||
                                     from_environment("HTTPS_PROXY") ||
                                     from_environment("all_proxy") || from_environment("ALL_PROXY");
  return kInEnvironment;
}

bool IsHttp2(SSL* tls) {
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(tls, &protocol, &size);
  return std::string_view(reinterpret_cast<const char*>(protocol), size) == "h2";
}

}  // namespace

// What libcurl's callbacks see of a transfer. It lives until its handle may be removed, which can
// be after its Transfer is gone.
class HttpClient::Exchange final : public HttpResponse {
 public:
  // Adds nothing to libcurl yet.
  Exchange(HttpClient& client, const HttpRequest& request, Receiver& receiver)
      : client_(client),
        receiver_(&receiver),
        easy_(curl_easy_init()),
        headers_(TraceHeadersOf(request.trace)),
        may_use_https_proxy_(MayUseHttpsProxy(request.proxy)),
        connect_timeout_(request.connect_timeout),
        idle_timeout_(request.idle_timeout),
        idle_timer_(client.loop_) {
    Set(CURLOPT_URL, request.url.c_str());
    Set(CURLOPT_PATH_AS_IS, 1L);  // as it was checked
    Set(CURLOPT_PROTOCOLS_STR, "http,https");
    Set(CURLOPT_FOLLOWLOCATION, 0L);
    Set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    Set(CURLOPT_USERNAME, request.username.c_str());
    Set(CURLOPT_PASSWORD, request.password.reveal().c_str());
    Set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    if (!request.ca_file.empty()) {
      Set(CURLOPT_CAINFO, request.ca_file.c_str());
      Set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // else the system's counts beside it
    }
    Set(CURLOPT_SSLVERSION, request.min_tls_version == TlsVersion::k13
                                ? static_cast<long>(CURL_SSLVERSION_TLSv1_3)
                                : static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (request.http2) {
      Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
      // Rather than connecting once for each of the requests that come before it is known whether
      // the server can.
      Set(CURLOPT_PIPEWAIT, 1L);
    } else {
      // One request a connection: a body that is not read then holds nobody else's up, and what
      // libcurl keeps of it is one piece.
      Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    }
    Set(CURLOPT_USERAGENT, kUserAgent);
    Set(CURLOPT_HTTPHEADER, headers_.get());
    Set(CURLOPT_NOSIGNAL, 1L);
    // Else ending a transfer would wait, and with it the whole loop, for a host name that is being
    // resolved.
    Set(CURLOPT_QUICK_EXIT, 1L);
    Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
    if (request.new_connection) Set(CURLOPT_FRESH_CONNECT, 1L);
    Set(CURLOPT_SOCKOPTFUNCTION, &HttpClient::OnOpenSocket);
    Set(CURLOPT_SOCKOPTDATA, &client);
    Set(CURLOPT_CLOSESOCKETFUNCTION, &HttpClient::OnCloseSocket);
    Set(CURLOPT_CLOSESOCKETDATA, &client);
    Set(CURLOPT_PREREQFUNCTION, &Exchange::OnConnection);
    Set(CURLOPT_PREREQDATA, this);
    // Through a proxy for plain HTTP, credentials would travel further than to the provider.
    if (absl::StartsWith(request.url, "http:")) {
      Set(CURLOPT_PROXY, "");
    } else if (request.proxy) {
      Set(CURLOPT_PROXY, request.proxy->c_str());
      Set(CURLOPT_NOPROXY, "");  // else NO_PROXY would go before
    }
    Set(CURLOPT_WRITEFUNCTION, &Exchange::OnWrite);
    Set(CURLOPT_WRITEDATA, this);
    Set(CURLOPT_HEADERFUNCTION, &Exchange::OnHeader);
    Set(CURLOPT_HEADERDATA, this);
    Set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);  // a proxy's
    WaitForBytes();
  }

  ~Exchange() { curl_easy_cleanup(easy_); }

  CURL* easy() const { return easy_; }

  int status() const override {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    return static_cast<int>(status);
  }

  std::optional<std::string> header(const char* name) const override {
    curl_header* header = nullptr;
    if (curl_easy_header(easy_, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) {
      return std::nullopt;
    }
    return header->value;
  }

  bool ends_with_connection() const override {
    // HTTP/2 tells, but libcurl 7.88 does not in all cases: a stream that is cut while another one
    // of its connection is paused, or behind a GOAWAY, can look like one that has ended.
    return !header("Content-Length") && !header("Transfer-Encoding");
  }

  void set_transfer(Transfer* transfer) { transfer_ = transfer; }

  // No callback reaches the receiver any more.
  void Detach() {
    receiver_ = nullptr;
    transfer_ = nullptr;
  }

  void Resume() {
    paused_ = false;
    last_bytes_ = EventLoop::Clock::now();
    ++client_.calls_into_curl_;
    curl_easy_pause(easy_, CURLPAUSE_CONT);  // may call OnWrite
    --client_.calls_into_curl_;
  }

  // Prepares to send the request again on a new connection, if a reused one brought, or had
  // waiting, something else than its response. False if the transfer is over.
  bool StartOver(CURLcode result) {
    const bool has_no_status_line =
        result == CURLE_WEIRD_SERVER_REPLY || result == CURLE_UNSUPPORTED_PROTOCOL;
    // The peer had closed the connection as idle. libcurl itself tries other reused ones first.
    const bool has_no_response =
        result == CURLE_GOT_NOTHING || result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR;
    if (!not_its_response_ && !has_no_status_line && !has_no_response &&
        result != CURLE_ABORTED_BY_CALLBACK) {
      return false;
    }
    if (!reuses_connection_ || head_delivered_ || receiver_ == nullptr) return false;
    Set(CURLOPT_FRESH_CONNECT, 1L);
    UseConnection(nullptr);
    reuses_connection_ = not_its_response_ = false;
    header_bytes_ = 0;
    start_ = last_bytes_ = EventLoop::Clock::now();
    return true;
  }

  void Finish(CURLcode result) {
    if (connection_ != nullptr && connection_->socket >= 0) AcknowledgeInput(connection_->socket);
    if (result == CURLE_OK) DeliverHead();
    End(result == CURLE_OK ? absl::OkStatus() : ErrorOf(easy_, result));
  }

  // Tells the receiver, who hears nothing more.
  void End(const absl::Status& status) {
    if (receiver_ == nullptr) return;
    Receiver& receiver = *receiver_;
    transfer_->exchange_ = nullptr;
    Detach();
    receiver.OnDone(status);
  }

 private:
  template <class T>
  void Set(CURLoption option, T value) {
    curl_easy_setopt(easy_, option, value);
  }

  // One timer for the whole transfer: it looks now and then how long ago the last bytes came,
  // rather than being set anew with each of them.
  void WaitForBytes() {
    // At least as often as the idle timeout says, since it counts from a moment that is yet to come
    // while the request waits for a connection.
    const auto left = std::min(
        std::chrono::ceil<std::chrono::milliseconds>(PatienceEnds() - EventLoop::Clock::now()),
        idle_timeout_);
    idle_timer_.Start(std::max(left, std::chrono::milliseconds(1)), [this] {
      if (EventLoop::Clock::now() < PatienceEnds()) {
        WaitForBytes();
        return;
      }
      client_.Drop(*this, WhenSent() ? MakeError(v1::ERROR_REASON_UPSTREAM_TIMEOUT,
                                                 "the provider sent nothing for too long")
                                     : ErrorOf(easy_, CURLE_OPERATION_TIMEDOUT));
    });
  }

  // When the request left; nothing while there is no connection that it could leave by.
  std::optional<EventLoop::Clock::time_point> WhenSent() const {
    curl_off_t connecting = 0;  // microseconds
    curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &connecting);
    if (connecting == 0) return std::nullopt;
    return start_ + std::chrono::microseconds(connecting);
  }

  EventLoop::Clock::time_point PatienceEnds() const {
    // A caller may take its time.
    if (paused_) return EventLoop::Clock::now() + idle_timeout_;
    const auto sent = WhenSent();
    // libcurl sees to this for the request that connects, but not for those that wait to share its
    // connection: they would connect in turn, each with a timeout of its own.
    if (!sent) return start_ + connect_timeout_;
    return std::max(last_bytes_, *sent) + idle_timeout_;
  }

  // Called when the request is about to be written to a connection, with the connection's ends.
  static int OnConnection(void* self, char* remote_ip, char* local_ip, int remote_port,
                          int local_port) {
    auto* const exchange = static_cast<Exchange*>(self);
    return exchange->MaySendOn({local_ip, local_port, remote_ip, remote_port})
               ? CURL_PREREQFUNC_OK
               : CURL_PREREQFUNC_ABORT;
  }

  bool MaySendOn(const Connections::Ends& ends) {
    long connects = 0;
    curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &connects);
    reuses_connection_ = connects == 0;
    SSL* const tls = Tls();
    std::shared_ptr<Connection> connection = client_.connections_.Find(ends);
    if (tls != nullptr && IsHttp2(tls)) {
      // Its streams have numbers, and the peer may send at any time.
      UseConnection(nullptr);
      return true;
    }
    UseConnection(connection);
    if (connection == nullptr) return !reuses_connection_;
    if (!connection->reusable) return false;
    // Input may be within libcurl, decrypted from the proxy's TLS records, where nothing shows it.
    if (tls != nullptr && may_use_https_proxy_) return !reuses_connection_;
    const UnreadInput input = CheckUnreadInput(connection->socket, tls);
    return input == UnreadInput::kNone || (input == UnreadInput::kUnknown && !reuses_connection_);
  }

  // Null on a connection without TLS.
  SSL* Tls() const {
    curl_tlssessioninfo* session = nullptr;
    curl_easy_getinfo(easy_, CURLINFO_TLS_SSL_PTR, &session);
    const bool is_openssl = session != nullptr && session->backend == CURLSSLBACKEND_OPENSSL;
    return is_openssl ? static_cast<SSL*>(session->internals) : nullptr;
  }

  void UseConnection(std::shared_ptr<Connection> connection) {
    connection_ = std::move(connection);
    if (transfer_ != nullptr) transfer_->connection_ = connection_;
  }

  // Whether a response that begins now cannot be to this request: the connection has brought
  // another request's response meanwhile, or this response was sent before the request arrived.
  // A server that responds before it has read the whole request (414, 431) does so on a new
  // connection as well, so its response is not lost.
  bool IsNotItsResponse() const {
    return reuses_connection_ && connection_ != nullptr &&
           (!connection_->reusable || HasUnacknowledgedOutput(connection_->socket));
  }

  // Called for each line of the head, and of the trailer behind a chunked body.
  static size_t OnHeader(char* data, size_t /*one*/, size_t size, void* self) {
    auto* const exchange = static_cast<Exchange*>(self);
    if (exchange->header_bytes_ == 0 && exchange->IsNotItsResponse()) {
      exchange->not_its_response_ = true;
      return 0;
    }
    exchange->last_bytes_ = EventLoop::Clock::now();
    exchange->header_bytes_ += size;
    if (exchange->header_bytes_ > kMaxHeaderBytes) return 0;
    // libcurl would unpack a compressed transfer, and what comes of a small piece can be very
    // large.
    const absl::string_view line(data, size);
    if (absl::StartsWithIgnoreCase(line, "transfer-encoding:") &&
        !absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(line.substr(line.find(':') + 1)),
                                "chunked")) {
      return 0;
    }
    // The line behind the last header. What comes with 1xx is not the answer yet.
    if (absl::StripAsciiWhitespace(line).empty() && exchange->status() >= 200) {
      exchange->DeliverHead();
      if (exchange->receiver_ == nullptr) return 0;
    }
    return size;
  }

  static size_t OnWrite(char* data, size_t /*one*/, size_t size, void* self) {
    return static_cast<Exchange*>(self)->DeliverBody(absl::string_view(data, size));
  }

  void DeliverHead() {
    if (head_delivered_ || receiver_ == nullptr) return;
    head_delivered_ = true;
    receiver_->OnHead(*this);
  }

  size_t DeliverBody(absl::string_view bytes) {
    last_bytes_ = EventLoop::Clock::now();
    DeliverHead();
    if (receiver_ == nullptr) return CURL_WRITEFUNC_ERROR;
    const bool taken = receiver_->OnBody(bytes);
    if (receiver_ == nullptr) return CURL_WRITEFUNC_ERROR;
    paused_ = !taken;
    return taken ? bytes.size() : size_t{CURL_WRITEFUNC_PAUSE};
  }

  HttpClient& client_;
  Receiver* receiver_;            // null once nobody listens
  Transfer* transfer_ = nullptr;  // likewise
  CURL* const easy_;
  const HeaderList headers_;  // in use as long as easy_
  const bool may_use_https_proxy_;
  const std::chrono::milliseconds connect_timeout_;
  const std::chrono::milliseconds idle_timeout_;
  EventLoop::Clock::time_point start_ = EventLoop::Clock::now();
  EventLoop::Clock::time_point last_bytes_ = start_;
  Timer idle_timer_;
  size_t header_bytes_ = 0;
  bool head_delivered_ = false;
  bool paused_ = false;
  std::shared_ptr<Connection> connection_;  // null before the request is sent, and with HTTP/2
  bool reuses_connection_ = false;
  bool not_its_response_ = false;  // a response began that is to another request
};

HttpClient::HttpClient(EventLoop& loop) : loop_(loop), multi_(curl_multi_init()), timer_(loop) {
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &HttpClient::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &HttpClient::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  // With more than so many open, one that is done with is closed rather than kept. By default
  // libcurl keeps four for each transfer that there ever was at once.
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxConnectionsKept);
}

HttpClient::~HttpClient() {
  for (auto& [easy, exchange] : exchanges_) curl_multi_remove_handle(multi_, easy);
  exchanges_.clear();
  curl_multi_cleanup(multi_);  // calls OnSocket for the connections it closes
}

std::unique_ptr<HttpClient::Transfer> HttpClient::Get(const HttpRequest& request,
                                                      Receiver& receiver) {
  auto owned = std::make_unique<Exchange>(*this, request, receiver);
  Exchange& exchange = *owned;
  std::unique_ptr<Transfer> transfer(new Transfer(*this, exchange));
  exchange.set_transfer(transfer.get());
  exchanges_.emplace(exchange.easy(), std::move(owned));
  added_.insert(exchange.easy());
  CatchUp();
  return transfer;
}

int HttpClient::OnSocket(void* /*easy*/, int socket, int what, void* client,
                         void* /*socket_data*/) {
  auto* const self = static_cast<HttpClient*>(client);
  if (what == CURL_POLL_REMOVE) {
    self->loop_.Unwatch(socket);
    return 0;
  }
  const uint32_t wanted = ((what & CURL_POLL_IN) != 0 ? uint32_t{EPOLLIN} : 0u) |
                          ((what & CURL_POLL_OUT) != 0 ? uint32_t{EPOLLOUT} : 0u);
  self->loop_.Watch(socket, wanted, [self, socket](uint32_t events) {
    int selected = 0;
    if ((events & EPOLLIN) != 0) selected |= CURL_CSELECT_IN;
    if ((events & EPOLLOUT) != 0) selected |= CURL_CSELECT_OUT;
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) selected |= CURL_CSELECT_ERR;
    self->Act(socket, selected);
  });
  return 0;
}

int HttpClient::OnTimer(void* /*multi*/, long milliseconds, void* client) {
  auto* const self = static_cast<HttpClient*>(client);
  self->timer_.Stop();
  if (milliseconds >= 0) {
    self->timer_.Start(std::chrono::milliseconds(milliseconds),
                       [self] { self->Act(CURL_SOCKET_TIMEOUT, 0); });
  }
  return 0;
}

// Called when libcurl has made a socket, before it connects it.
int HttpClient::OnOpenSocket(void* client, int socket, int /*purpose*/) {
  static_cast<HttpClient*>(client)->connections_.Opened(socket);
  return CURL_SOCKOPT_OK;
}

int HttpClient::OnCloseSocket(void* client, int socket) {
  static_cast<HttpClient*>(client)->connections_.Closed(socket);
  return close(socket);
}

void HttpClient::Act(int socket, int events) {
  int running = 0;
  ++calls_into_curl_;
  curl_multi_socket_action(multi_, socket, events, &running);
  --calls_into_curl_;
  CatchUp();
  DeliverFinished();
}

void HttpClient::DeliverFinished() {
  int left = 0;
  // One at a time: what a receiver does may change libcurl's list.
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const easy = message->easy_handle;
    const CURLcode result = message->data.result;
    const auto found = exchanges_.find(easy);
    if (found == exchanges_.end()) continue;
    curl_multi_remove_handle(multi_, easy);
    if (found->second->StartOver(result)) {
      added_.insert(easy);
      continue;
    }
    const std::unique_ptr<Exchange> exchange = std::move(found->second);
    exchanges_.erase(found);
    abandoned_.erase(easy);
    exchange->Finish(result);
  }
  CatchUp();
}

// Ends a transfer that libcurl has not ended.
void HttpClient::Drop(Exchange& exchange, const absl::Status& status) {
  const auto found = exchanges_.find(exchange.easy());
  const std::unique_ptr<Exchange> dropped = std::move(found->second);
  exchanges_.erase(found);
  abandoned_.erase(dropped->easy());
  added_.erase(dropped->easy());
  curl_multi_remove_handle(multi_, dropped->easy());
  dropped->End(status);
}

void HttpClient::Abandon(Exchange& exchange) {
  exchange.Detach();
  abandoned_.insert(exchange.easy());
  CatchUp();
}

// Does what libcurl does not allow from within its callbacks.
void HttpClient::CatchUp() {
  if (calls_into_curl_ > 0) return;  // whoever called in comes back to it
  for (void* const easy : std::exchange(added_, {})) {
    // Sets a timer, from which all else follows.
    if (!abandoned_.contains(easy)) curl_multi_add_handle(multi_, easy);
  }
  for (void* const easy : std::exchange(abandoned_, {})) {
    const auto found = exchanges_.find(easy);
    if (found == exchanges_.end()) continue;
    curl_multi_remove_handle(multi_, easy);
    exchanges_.erase(found);
  }
}

HttpClient::Transfer::~Transfer() {
  if (exchange_ != nullptr) client_.Abandon(*exchange_);
}

void HttpClient::Transfer::Resume() {
  if (exchange_ == nullptr) return;
  HttpClient& client = client_;  // the receiver may destroy this transfer meanwhile
  exchange_->Resume();
  client.CatchUp();
}

void HttpClient::Transfer::DistrustConnection() {
  if (connection_ == nullptr) return;
  connection_->reusable = false;
  // So that libcurl drops it from its pool.
  if (connection_->socket >= 0) shutdown(connection_->socket, SHUT_RDWR);
}

}  // namespace rollcall
