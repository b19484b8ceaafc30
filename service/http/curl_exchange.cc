#include "service/http/curl_exchange.h"

#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "rollcall/version.h"
#include "service/error/error.h"
#include "service/http/curl_error.h"
#include "service/http/socket_state.h"

namespace rollcall::service {
namespace {

// libcurl keeps each header with some 60 bytes of its own until the handle is freed.
constexpr size_t kMaxHeaderBytes = size_t{64} << 10;
constexpr int kMaxHeaderLines = 256;  // with status lines and empty lines

// How much later than the exchange libcurl would end a transfer that does not connect. It would
// leave the thread of a lookup behind without the limiter knowing.
constexpr std::chrono::milliseconds kConnectTimeoutMargin{250};

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

// Whether a request may use an HTTPS proxy, and so TLS inside TLS.
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

// Identifies the host that is looked up for this request: the configured proxy, or else the URL's
// origin. A proxy of the environment counts once per origin.
std::string HostOf(const HttpRequest& request) {
  if (request.proxy && !request.proxy->empty() && !absl::StartsWith(request.url, "http:")) {
    return *request.proxy;
  }
  const size_t scheme = request.url.find("://");
  if (scheme == std::string::npos) return request.url;
  return request.url.substr(0, request.url.find_first_of("/?#", scheme + 3));
}

// The callbacks of a handle that is abandoned.
int RefuseLookup(void*, void*, void*) { return 1; }
int RefuseSocket(void*, curl_socket_t, curlsocktype) { return CURL_SOCKOPT_ERROR; }
int RefuseRequest(void*, char*, char*, int, int) { return CURL_PREREQFUNC_ABORT; }
size_t RefuseBytes(char*, size_t, size_t, void*) { return 0; }

bool IsHttp2(SSL* tls) {
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(tls, &protocol, &size);
  return std::string_view(reinterpret_cast<const char*>(protocol), size) == "h2";
}

std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> NewHandle() {
  CURL* const easy = curl_easy_init();
  if (easy == nullptr) throw std::bad_alloc();
  return {easy, curl_easy_cleanup};
}

}  // namespace

CurlExchange::CurlExchange(CurlTransport& transport, const HttpRequest& request,
                           HttpTransport::Receiver& receiver)
    : transport_(transport),
      receiver_(&receiver),
      headers_(TraceHeadersOf(request.trace)),
      easy_(NewHandle()),
      may_use_https_proxy_(MayUseHttpsProxy(request.proxy)),
      host_(HostOf(request)),
      connect_timeout_(request.connect_timeout),
      idle_timeout_(request.idle_timeout),
      start_(transport_.scheduler().Now()),
      last_bytes_(start_),
      idle_timer_(transport.scheduler()) {
  Set(CURLOPT_URL, request.url.c_str());
  Set(CURLOPT_PATH_AS_IS, 1L);  // send the path as BaseUrl checked it
  Set(CURLOPT_PROTOCOLS_STR, "http,https");
  Set(CURLOPT_FOLLOWLOCATION, 0L);
  Set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
  Set(CURLOPT_USERNAME, request.username.c_str());
  Set(CURLOPT_PASSWORD, request.password.reveal().c_str());
  Set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  if (request.http2) {
    Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    // Without this, each request that starts before the first connection is ready opens another.
    Set(CURLOPT_PIPEWAIT, 1L);
  } else {
    // One request per connection: a stalled body does not block another one, and libcurl buffers
    // only one piece of it.
    Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  }
  static const std::string kUserAgent = absl::StrCat("rollcall/", kRollcallVersion);
  Set(CURLOPT_USERAGENT, kUserAgent.c_str());
  Set(CURLOPT_HTTPHEADER, headers_.get());
  Set(CURLOPT_NOSIGNAL, 1L);
  // Without this, removing a transfer would block the loop until its host name is resolved.
  Set(CURLOPT_QUICK_EXIT, 1L);
  Set(CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>((connect_timeout_ + kConnectTimeoutMargin).count()));
  if (request.new_connection) Set(CURLOPT_FRESH_CONNECT, 1L);
  SetTls(request);
  SetProxy(request);
  SetCallbacks();
  StartIdleTimer();
}

CurlExchange::~CurlExchange() {
  assert(!transport_.IsInCurl());
  Cancel();
  FreeHandle();
}

template <class T>
void CurlExchange::Set(CURLoption option, T value) {
  const CURLcode code = curl_easy_setopt(easy(), option, value);
  if (setup_ == CURLE_OK) setup_ = code;
}

void CurlExchange::SetTls(const HttpRequest& request) {
  if (!request.ca_file.empty()) {
    Set(CURLOPT_CAINFO, request.ca_file.c_str());
    Set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));  // or the system's count as well
  }
  Set(CURLOPT_SSLVERSION, request.require_tls_1_3 ? static_cast<long>(CURL_SSLVERSION_TLSv1_3)
                                                  : static_cast<long>(CURL_SSLVERSION_TLSv1_2));
}

void CurlExchange::SetProxy(const HttpRequest& request) {
  // A proxy for plain HTTP would see the credentials.
  if (absl::StartsWith(request.url, "http:")) {
    Set(CURLOPT_PROXY, "");
  } else if (request.proxy) {
    Set(CURLOPT_PROXY, request.proxy->c_str());
    Set(CURLOPT_NOPROXY, "");  // NO_PROXY would take precedence
  }
  Set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

void CurlExchange::SetCallbacks() {
  Set(CURLOPT_RESOLVER_START_FUNCTION, &CurlExchange::OnLookup);
  Set(CURLOPT_RESOLVER_START_DATA, this);
  Set(CURLOPT_SOCKOPTFUNCTION, &CurlExchange::OnOpenSocket);
  Set(CURLOPT_SOCKOPTDATA, this);
  // A connection outlives the exchange that opened it.
  Set(CURLOPT_CLOSESOCKETFUNCTION, &CurlTransport::OnCloseSocket);
  Set(CURLOPT_CLOSESOCKETDATA, &transport_);
  Set(CURLOPT_PREREQFUNCTION, &CurlExchange::OnConnection);
  Set(CURLOPT_PREREQDATA, this);
  Set(CURLOPT_WRITEFUNCTION, &CurlExchange::OnWrite);
  Set(CURLOPT_WRITEDATA, this);
  Set(CURLOPT_HEADERFUNCTION, &CurlExchange::OnHeader);
  Set(CURLOPT_HEADERDATA, this);
  Set(CURLOPT_PRIVATE, this);
}

absl::Status CurlExchange::SetupStatus() const {
  if (setup_ == CURLE_OK) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("libcurl rejected the request: ", curl_easy_strerror(setup_)));
}

void CurlExchange::FailSoon(const absl::Status& status) {
  idle_timer_.Start(std::chrono::milliseconds(0), [this, status] { Fail(status); });
}

int CurlExchange::status() const {
  long status = 0;
  curl_easy_getinfo(easy(), CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

std::optional<std::string> CurlExchange::header(const char* name) const {
  curl_header* header = nullptr;
  if (curl_easy_header(easy(), name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) {
    return std::nullopt;
  }
  return header->value;
}

void CurlExchange::Cancel() {
  if (receiver_ == nullptr) return;
  receiver_ = nullptr;
  idle_timer_.Stop();
  transport_.Remove(*this);
}

CURL* CurlExchange::AbandonLookup() {
  Set(CURLOPT_RESOLVER_START_FUNCTION, RefuseLookup);
  Set(CURLOPT_SOCKOPTFUNCTION, RefuseSocket);
  Set(CURLOPT_PREREQFUNCTION, RefuseRequest);
  Set(CURLOPT_HEADERFUNCTION, RefuseBytes);
  Set(CURLOPT_WRITEFUNCTION, RefuseBytes);
  Set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  Set(CURLOPT_PRIVATE, static_cast<void*>(nullptr));
  // A timeout would end the transfer before the lookup.
  Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::numeric_limits<int>::max()));
  return easy_.release();
}

void CurlExchange::Resume() {
  if (receiver_ == nullptr) return;
  paused_ = false;
  last_bytes_ = transport_.scheduler().Now();
  {
    const CurlTransport::CallIntoCurl call(transport_);
    curl_easy_pause(easy(), CURLPAUSE_CONT);  // may call OnWrite
  }
  transport_.CatchUp();
}

void CurlExchange::DistrustConnection() {
  if (connection_ == nullptr) return;
  connection_->reusable = false;
  // So that libcurl removes it from its pool.
  if (connection_->socket >= 0) shutdown(connection_->socket, SHUT_RDWR);
}

bool CurlExchange::StartOver(CURLcode result) {
  const bool has_no_status_line =
      result == CURLE_WEIRD_SERVER_REPLY || result == CURLE_UNSUPPORTED_PROTOCOL;
  // The peer had closed the idle connection. libcurl itself tries other reused ones first.
  const bool has_no_response =
      result == CURLE_GOT_NOTHING || result == CURLE_RECV_ERROR || result == CURLE_SEND_ERROR;
  if (!not_its_response_ && !has_no_status_line && !has_no_response &&
      result != CURLE_ABORTED_BY_CALLBACK) {
    return false;
  }
  if (!reuses_connection_ || head_delivered_ || receiver_ == nullptr) return false;
  Set(CURLOPT_FRESH_CONNECT, 1L);
  connection_ = nullptr;
  sent_ = reuses_connection_ = not_its_response_ = false;
  header_bytes_ = 0;
  header_lines_ = 0;
  start_ = last_bytes_ = transport_.scheduler().Now();
  return true;
}

void CurlExchange::Finish(CURLcode result) {
  if (connection_ != nullptr && connection_->socket >= 0) AcknowledgeInput(connection_->socket);
  if (result == CURLE_OK) DeliverHead();
  if (!refusal_.ok()) return End(refusal_);
  End(result == CURLE_OK ? absl::OkStatus() : ErrorOf(easy(), result));
}

// Ends a transfer that libcurl has not ended.
void CurlExchange::Fail(const absl::Status& status) {
  transport_.Remove(*this);
  End(status);
}

void CurlExchange::End(const absl::Status& status) {
  idle_timer_.Stop();
  if (receiver_ != nullptr) std::exchange(receiver_, nullptr)->OnDone(status);
  FreeHandle();
}

// The handle must have been removed from the multi handle.
void CurlExchange::FreeHandle() {
  if (easy_ == nullptr) return;
  if (paused_ && is_http2_) FreePausedBody();
  easy_.reset();
}

// libcurl 7.88 leaks what it has buffered of a paused body if other transfers still use the
// connection when this one ends, be it removed or failed (multi_done() in its multi.c returns
// early). It frees the buffer at the end of a transfer that has a connection of its own, so the
// handle is used for one more: of an empty file. Resuming the transfer before it is removed would
// not help if it has failed, and asks the provider for more of the body.
void CurlExchange::FreePausedBody() {
  curl_easy_reset(easy());
  Set(CURLOPT_NOSIGNAL, 1L);
  Set(CURLOPT_PROTOCOLS_STR, "file");
  Set(CURLOPT_URL, "file:///dev/null");
  curl_easy_perform(easy());
}

// One timer per transfer polls how long ago the last bytes arrived. Restarting it whenever bytes
// arrive would cost more.
void CurlExchange::StartIdleTimer() {
  // At least once per idle timeout, because the time to count from is unknown while the request
  // waits for a connection.
  const auto left = std::min(
      std::chrono::ceil<std::chrono::milliseconds>(TimeoutAt() - transport_.scheduler().Now()),
      idle_timeout_);
  idle_timer_.Start(std::max(left, std::chrono::milliseconds(1)), [this] {
    if (transport_.scheduler().Now() < TimeoutAt()) {
      StartIdleTimer();
      return;
    }
    Fail(sent_ ? MakeError(v1::ERROR_REASON_UPSTREAM_TIMEOUT,
                           absl::StrCat("the provider sent nothing for ",
                                        std::chrono::duration<double>(idle_timeout_).count(),
                                        " s (idle_timeout_seconds)"))
               : ErrorOf(easy(), CURLE_OPERATION_TIMEDOUT));
  });
}

Scheduler::Clock::time_point CurlExchange::TimeoutAt() const {
  // A slow caller does not end a transfer.
  if (paused_) return transport_.scheduler().Now() + idle_timeout_;
  // libcurl applies the connect timeout to the request that opens a connection, but not to those
  // that wait to share it: each of them would then open one, with its own timeout.
  return sent_ ? last_bytes_ + idle_timeout_ : start_ + connect_timeout_;
}

// Called before a host is looked up that is not in libcurl's DNS cache, also if it is an address.
int CurlExchange::OnLookup(void* /*resolver*/, void* /*reserved*/, void* self) {
  return static_cast<CurlExchange*>(self)->MayLookUp() ? 0 : 1;
}

bool CurlExchange::MayLookUp() {
  if (receiver_ == nullptr) return false;  // about to be removed
  if (lookup_ == Lookup::kNone) {
    lookup_ = transport_.lookups_.TryAcquire(host_) ? Lookup::kGranted : Lookup::kRefused;
  }
  if (lookup_ == Lookup::kRefused) return false;
  lookup_ = Lookup::kRunning;
  return true;
}

// Called when libcurl has created a socket, before it connects it.
int CurlExchange::OnOpenSocket(void* self, int socket, curlsocktype /*purpose*/) {
  auto* const exchange = static_cast<CurlExchange*>(self);
  exchange->transport_.connections_.Opened(socket);
  exchange->transport_.EndLookup(*exchange);
  return CURL_SOCKOPT_OK;
}

// Called before the request is written to a connection, with the connection's ends.
int CurlExchange::OnConnection(void* self, char* remote_ip, char* local_ip, int remote_port,
                               int local_port) {
  auto* const exchange = static_cast<CurlExchange*>(self);
  return exchange->MaySendOn({local_ip, local_port, remote_ip, remote_port})
             ? CURL_PREREQFUNC_OK
             : CURL_PREREQFUNC_ABORT;
}

bool CurlExchange::MaySendOn(const Connections::Ends& ends) {
  transport_.EndLookup(*this);
  sent_ = true;
  last_bytes_ = transport_.scheduler().Now();
  long connects = 0;
  curl_easy_getinfo(easy(), CURLINFO_NUM_CONNECTS, &connects);
  reuses_connection_ = connects == 0;
  SSL* const tls = Tls();
  is_http2_ = tls != nullptr && IsHttp2(tls);
  connection_ = is_http2_ ? nullptr : transport_.connections_.Find(ends);
  // Responses are matched by stream id, and the peer may send at any time.
  if (is_http2_) return true;
  if (connection_ == nullptr) return !reuses_connection_;
  if (!connection_->reusable) return false;
  // libcurl may hold input that it has decrypted from the proxy's TLS records, which is not visible
  // here.
  if (tls != nullptr && may_use_https_proxy_) return !reuses_connection_;
  const UnreadInput input = CheckUnreadInput(connection_->socket, tls);
  return input == UnreadInput::kNone || (input == UnreadInput::kUnknown && !reuses_connection_);
}

// Null on a connection without TLS.
SSL* CurlExchange::Tls() const {
  curl_tlssessioninfo* session = nullptr;
  curl_easy_getinfo(easy(), CURLINFO_TLS_SSL_PTR, &session);
  const bool is_openssl = session != nullptr && session->backend == CURLSSLBACKEND_OPENSSL;
  return is_openssl ? static_cast<SSL*>(session->internals) : nullptr;
}

// Whether a response that begins now cannot belong to this request: the connection has meanwhile
// brought another request's response, or this response was sent before the request arrived. A
// server that responds before it has read the whole request (414, 431) does so again on the new
// connection, so its response is not lost.
bool CurlExchange::IsNotItsResponse() const {
  return reuses_connection_ && connection_ != nullptr &&
         (!connection_->reusable || HasUnacknowledgedOutput(connection_->socket));
}

// Called for each line of the head, and of the trailer of a chunked body.
size_t CurlExchange::OnHeader(char* data, size_t /*one*/, size_t size, void* self) {
  return static_cast<CurlExchange*>(self)->TakeHeader(absl::string_view(data, size));
}

// Returns the line's size, or another value to end the transfer.
size_t CurlExchange::TakeHeader(absl::string_view line) {
  if (header_bytes_ == 0 && IsNotItsResponse()) {
    not_its_response_ = true;
    return 0;
  }
  last_bytes_ = transport_.scheduler().Now();
  header_bytes_ += line.size();
  ++header_lines_;
  refusal_ = CheckHeader(line);
  if (!refusal_.ok()) return 0;
  // The empty line after the last header. A 1xx response is not the final one.
  if (absl::StripAsciiWhitespace(line).empty() && status() >= 200) {
    DeliverHead();
    if (receiver_ == nullptr) return 0;
  }
  return line.size();
}

absl::Status CurlExchange::CheckHeader(absl::string_view line) const {
  if (header_bytes_ > kMaxHeaderBytes || header_lines_ > kMaxHeaderLines) {
    return MakeError(v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
                     absl::StrCat("the provider's response has more than ", kMaxHeaderLines,
                                  " header lines or ", kMaxHeaderBytes, " bytes of headers"));
  }
  // libcurl would decompress a compressed transfer, and a small piece of it can become very large.
  if (absl::StartsWithIgnoreCase(line, "transfer-encoding:") &&
      !absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(line.substr(line.find(':') + 1)),
                              "chunked")) {
    return MakeError(v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
                     "the provider's response has a transfer encoding other than chunked");
  }
  return absl::OkStatus();
}

size_t CurlExchange::OnWrite(char* data, size_t /*one*/, size_t size, void* self) {
  return static_cast<CurlExchange*>(self)->DeliverBody(absl::string_view(data, size));
}

void CurlExchange::DeliverHead() {
  if (head_delivered_ || receiver_ == nullptr) return;
  head_delivered_ = true;
  receiver_->OnHead(*this);
}

size_t CurlExchange::DeliverBody(absl::string_view bytes) {
  last_bytes_ = transport_.scheduler().Now();
  DeliverHead();
  if (receiver_ == nullptr) return CURL_WRITEFUNC_ERROR;
  const bool taken = receiver_->OnBody(bytes);
  if (receiver_ == nullptr) return CURL_WRITEFUNC_ERROR;
  paused_ = !taken;
  return taken ? bytes.size() : size_t{CURL_WRITEFUNC_PAUSE};
}

}  // namespace rollcall::service
