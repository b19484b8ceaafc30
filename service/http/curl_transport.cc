#include "service/http/curl_transport.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <new>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/http/curl_exchange.h"

namespace rollcall {
namespace {

constexpr long kMaxConnectionsKept = 512;

template <class T>
void Set(CURLM* multi, CURLMoption option, T value) {
  const CURLMcode code = curl_multi_setopt(multi, option, value);
  if (code != CURLM_OK)
    throw std::runtime_error(absl::StrCat("libcurl: ", curl_multi_strerror(code)));
}

}  // namespace

CurlTransport::CurlTransport(EventLoop& loop)
    : loop_(loop), multi_(curl_multi_init()), timer_(loop) {
  if (multi_ == nullptr) throw std::bad_alloc();
  Set(multi_, CURLMOPT_SOCKETFUNCTION, &CurlTransport::OnSocket);
  Set(multi_, CURLMOPT_SOCKETDATA, this);
  Set(multi_, CURLMOPT_TIMERFUNCTION, &CurlTransport::OnTimer);
  Set(multi_, CURLMOPT_TIMERDATA, this);
  // With more than so many open, one that is done with is closed rather than kept. By default
  // libcurl keeps four for each transfer that there ever was at once.
  Set(multi_, CURLMOPT_MAXCONNECTS, kMaxConnectionsKept);
}

CurlTransport::~CurlTransport() {
  for (auto& [easy, exchange] : exchanges_) curl_multi_remove_handle(multi_, easy);
  exchanges_.clear();
  curl_multi_cleanup(multi_);  // calls OnSocket for the connections it closes
}

std::unique_ptr<HttpTransport::Transfer> CurlTransport::Get(const HttpRequest& request,
                                                            Receiver& receiver) {
  auto owned = std::make_unique<CurlExchange>(*this, request, receiver);
  CurlExchange& exchange = *owned;
  auto transfer = std::make_unique<CurlTransfer>(*this, exchange);
  exchange.set_transfer(transfer.get());
  exchanges_.emplace(exchange.easy(), std::move(owned));
  if (absl::Status status = exchange.SetupStatus(); !status.ok()) {
    exchange.FailSoon(status);
  } else {
    added_.insert(exchange.easy());
    CatchUp();
  }
  return transfer;
}

int CurlTransport::OnSocket(void* /*easy*/, int socket, int what, void* transport,
                            void* /*socket_data*/) {
  auto* const self = static_cast<CurlTransport*>(transport);
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

int CurlTransport::OnTimer(void* /*multi*/, long milliseconds, void* transport) {
  auto* const self = static_cast<CurlTransport*>(transport);
  self->timer_.Stop();
  if (milliseconds >= 0) {
    self->timer_.Start(std::chrono::milliseconds(milliseconds),
                       [self] { self->Act(CURL_SOCKET_TIMEOUT, 0); });
  }
  return 0;
}

// Called when libcurl has made a socket, before it connects it.
int CurlTransport::OnOpenSocket(void* transport, int socket, int /*purpose*/) {
  static_cast<CurlTransport*>(transport)->connections_.Opened(socket);
  return CURL_SOCKOPT_OK;
}

int CurlTransport::OnCloseSocket(void* transport, int socket) {
  static_cast<CurlTransport*>(transport)->connections_.Closed(socket);
  return close(socket);
}

void CurlTransport::Act(int socket, int events) {
  int running = 0;
  {
    const CallIntoCurl call(*this);
    curl_multi_socket_action(multi_, socket, events, &running);
  }
  CatchUp();
  DeliverFinished();
}

void CurlTransport::DeliverFinished() {
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
    const std::unique_ptr<CurlExchange> exchange = std::move(found->second);
    exchanges_.erase(found);
    abandoned_.erase(easy);
    exchange->Finish(result);
  }
  CatchUp();
}

// Ends a transfer that libcurl has not ended.
void CurlTransport::Drop(CurlExchange& exchange, const absl::Status& status) {
  const auto found = exchanges_.find(exchange.easy());
  const std::unique_ptr<CurlExchange> dropped = std::move(found->second);
  exchanges_.erase(found);
  abandoned_.erase(dropped->easy());
  added_.erase(dropped->easy());
  curl_multi_remove_handle(multi_, dropped->easy());
  dropped->End(status);
}

void CurlTransport::Abandon(CurlExchange& exchange) {
  exchange.Detach();
  abandoned_.insert(exchange.easy());
  CatchUp();
}

// Does what libcurl does not allow from within its callbacks.
void CurlTransport::CatchUp() {
  if (calls_into_curl_ > 0) return;  // Act() and Resume() call CatchUp() again afterwards
  for (void* const easy : std::exchange(added_, {})) {
    if (abandoned_.contains(easy)) continue;
    // This sets libcurl's timer, from which all else follows.
    const CURLMcode code = curl_multi_add_handle(multi_, easy);
    if (code != CURLM_OK)
      exchanges_.at(easy)->FailSoon(absl::InternalError(curl_multi_strerror(code)));
  }
  for (void* const easy : std::exchange(abandoned_, {})) {
    const auto found = exchanges_.find(easy);
    if (found == exchanges_.end()) continue;
    curl_multi_remove_handle(multi_, easy);
    exchanges_.erase(found);
  }
}

}  // namespace rollcall
