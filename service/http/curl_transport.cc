#include "service/http/curl_transport.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "service/http/curl_exchange.h"

namespace rollcall::service {
namespace {

constexpr long kMaxConnectionsKept = 512;

template <class T>
void Set(CURLM* multi, CURLMoption option, T value) {
  const CURLMcode code = curl_multi_setopt(multi, option, value);
  if (code != CURLM_OK)
    throw std::runtime_error(absl::StrCat("libcurl: ", curl_multi_strerror(code)));
}

}  // namespace

void CurlTransport::FreeMulti::operator()(void* multi) const { curl_multi_cleanup(multi); }

void CurlTransport::FreeEasy::operator()(void* easy) const { curl_easy_cleanup(easy); }

CurlTransport::CurlTransport(EventLoop& loop)
    : loop_(loop), timer_(loop), multi_(curl_multi_init()) {
  if (multi_ == nullptr) throw std::bad_alloc();
  Set(multi_.get(), CURLMOPT_SOCKETFUNCTION, &CurlTransport::OnSocket);
  Set(multi_.get(), CURLMOPT_SOCKETDATA, this);
  Set(multi_.get(), CURLMOPT_TIMERFUNCTION, &CurlTransport::OnTimer);
  Set(multi_.get(), CURLMOPT_TIMERDATA, this);
  // If more connections are open, one that becomes idle is closed rather than kept. By default
  // libcurl keeps four times the largest number of concurrent transfers so far.
  Set(multi_.get(), CURLMOPT_MAXCONNECTS, kMaxConnectionsKept);
}

CurlTransport::~CurlTransport() {
  // With CURLOPT_QUICK_EXIT, libcurl detaches the threads.
  for (const auto& [easy, lookup] : abandoned_) curl_multi_remove_handle(multi_.get(), easy);
  abandoned_.clear();
}

std::unique_ptr<HttpTransport::Transfer> CurlTransport::Get(const HttpRequest& request,
                                                            Receiver& receiver) {
  auto exchange = std::make_unique<CurlExchange>(*this, request, receiver);
  if (absl::Status status = exchange->SetupStatus(); !status.ok()) {
    exchange->FailSoon(status);
  } else {
    added_.push_back(exchange.get());
    CatchUp();
  }
  return exchange;
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

int CurlTransport::OnCloseSocket(void* transport, int socket) {
  static_cast<CurlTransport*>(transport)->connections_.Closed(socket);
  return close(socket);
}

void CurlTransport::Act(int socket, int events) {
  int running = 0;
  {
    const CallIntoCurl call(*this);
    curl_multi_socket_action(multi_.get(), socket, events, &running);
  }
  CatchUp();
  DeliverFinished();
}

void CurlTransport::DeliverFinished() {
  int left = 0;
  // One at a time, because a receiver's actions may change libcurl's list.
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const easy = message->easy_handle;
    const CURLcode result = message->data.result;
    char* data = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &data);
    auto* const exchange = static_cast<CurlExchange*>(static_cast<void*>(data));
    curl_multi_remove_handle(multi_.get(), easy);
    if (exchange == nullptr) {
      const auto abandoned = abandoned_.extract(easy);
      PassOnLookup(abandoned.mapped().host);
      continue;
    }
    EndLookup(*exchange);
    if (exchange->lookup() == CurlExchange::Lookup::kRefused) {
      WaitForLookup(*exchange);
    } else if (exchange->StartOver(result)) {
      added_.push_back(exchange);
    } else {
      exchange->Finish(result);
    }
  }
  CatchUp();
}

// libcurl calls the exchange's callbacks no more, except for those on the stack.
void CurlTransport::Remove(CurlExchange& exchange) {
  if (exchange.lookup() == CurlExchange::Lookup::kRunning) {
    // Removed from libcurl, it would leave its thread behind, and its permit would be free.
    CURL* const easy = exchange.AbandonLookup();
    abandoned_[easy] = {exchange.host(), std::unique_ptr<void, FreeEasy>(easy)};
    return;
  }
  if (exchange.lookup() == CurlExchange::Lookup::kWaiting) {
    lookups_.StopWaiting(exchange.host(), exchange);
  }
  EndLookup(exchange);
  std::erase(added_, &exchange);
  removed_.push_back(&exchange);
  CatchUp();
}

// libcurl has ended the transfer, because it had no permit for its lookup.
void CurlTransport::WaitForLookup(CurlExchange& exchange) {
  if (lookups_.TryAcquire(exchange.host())) {
    exchange.SetLookup(CurlExchange::Lookup::kGranted);
    added_.push_back(&exchange);
  } else {
    exchange.SetLookup(CurlExchange::Lookup::kWaiting);
    lookups_.Wait(exchange.host(), exchange);
  }
}

// The exchange needs its permit no longer, if it has one.
void CurlTransport::EndLookup(CurlExchange& exchange) {
  if (exchange.lookup() != CurlExchange::Lookup::kGranted &&
      exchange.lookup() != CurlExchange::Lookup::kRunning) {
    return;
  }
  exchange.SetLookup(CurlExchange::Lookup::kNone);
  PassOnLookup(exchange.host());
}

void CurlTransport::PassOnLookup(const std::string& host) {
  CurlExchange* const next = lookups_.Release(host);
  if (next == nullptr) return;
  next->SetLookup(CurlExchange::Lookup::kGranted);
  added_.push_back(next);  // passed to libcurl by the next CatchUp()
}

// Does what libcurl does not allow from within its callbacks.
void CurlTransport::CatchUp() {
  if (IsInCurl()) return;  // Act() and Resume() call CatchUp() again afterwards
  for (CurlExchange* const exchange : std::exchange(removed_, {})) {
    curl_multi_remove_handle(multi_.get(), exchange->easy());
  }
  for (CurlExchange* const exchange : std::exchange(added_, {})) {
    // Starts libcurl's timer, whose task starts the transfer.
    const CURLMcode code = curl_multi_add_handle(multi_.get(), exchange->easy());
    if (code != CURLM_OK) exchange->FailSoon(absl::InternalError(curl_multi_strerror(code)));
  }
}

}  // namespace rollcall::service
