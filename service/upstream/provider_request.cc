#include "service/upstream/provider_request.h"

#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "service/error/error.h"

namespace rollcall::service {
namespace {

// A response that is paused for longer is stalled by a slow caller. Shorter pauses are normal.
constexpr std::chrono::milliseconds kStallTime = std::chrono::seconds(1);

constexpr int kUnauthorized = 401;

// How many requests of the account the provider says it is working on; 0 if it does not say.
int AccountRequests(const HttpResponse& response) {
  int count = 0;
  const auto header = response.header("Twilio-Concurrent-Requests");
  return header && absl::SimpleAtoi(*header, &count) ? count : 0;
}

// The path: a conference, a room or one participant. Whatever fails for one filter, page or page
// size of a list fails for this target.
CircuitBreaker::Target BreakerTarget(absl::string_view url) {
  return absl::HashOf(url.substr(0, url.find('?')));
}

}  // namespace

HttpRequest MakeHttpRequest(const UpstreamOptions& upstream, std::string url,
                            const Secret& password, const TraceContext& trace) {
  const TransportOptions& transport = upstream.transport;
  return {std::move(url),
          upstream.account.username,
          password,
          transport.connect_timeout,
          transport.idle_timeout,
          transport.ca_file,
          transport.min_tls_version == TlsVersion::k13,
          transport.http2,
          transport.proxy,
          trace};
}

ProviderRequest::ProviderRequest(Upstream& upstream, HttpTransport& transport,
                                 const ParticipantApi& api, Target target, std::string caller,
                                 const TraceContext& trace, Listener& listener)
    : upstream_(upstream),
      transport_(transport),
      api_(api),
      target_(std::move(target)),
      trace_(trace),
      listener_(listener),
      wanted_(target_.kind != ConcurrencyLimiter::Kind::kPrefetch),
      stall_timer_(transport.scheduler()),
      permit_(upstream.limiter.Acquire(
          target_.kind, std::move(caller), BreakerTarget(target_.url), transport.scheduler(),
          [this](const absl::Status& status) { OnDecision(status); })) {}

void ProviderRequest::Cancel() {
  if (transfer_ != nullptr) transfer_->Cancel();
  stall_timer_.Stop();
  if (sent() && !std::exchange(counted_, true)) {
    if (permit_ == nullptr) {
      upstream_.requests.OnEnd(absl::OkStatus());
    } else {
      upstream_.requests.OnGivenUp();
    }
  }
  permit_.reset();
}

void ProviderRequest::Want() {
  wanted_ = true;
  if (permit_ != nullptr) permit_->Promote();
}

void ProviderRequest::Resume() {
  if (!std::exchange(refused_, false) || transfer_ == nullptr) return;
  ++resumed_;
  transfer_->Resume();
}

void ProviderRequest::Reject(const absl::Status& reason) {
  if (answered() && transfer_ != nullptr) transfer_->DistrustConnection();
  Count(reason);
}

// Counts the request once. One with a complete document counts as served only in Cancel(), because
// its reader may reject it until then.
void ProviderRequest::Count(const absl::Status& failure) {
  if (sent() && !std::exchange(counted_, true)) upstream_.requests.OnEnd(failure);
}

void ProviderRequest::OnDecision(const absl::Status& status) {
  if (status.ok()) return Send();
  if (sent() && wanted_) return;  // The prefetch was promoted while the limiter took it back.
  Cancel();
  denied_ = true;
  listener_.OnRequestEnd(status);
}

void ProviderRequest::Send() {
  ++times_sent_;
  sent_ = transport_.scheduler().Now();
  const Account& account = upstream_.options.account;
  password_ = account.password.get();
  HttpRequest request = MakeHttpRequest(upstream_.options, url(), *password_, trace_);
  request.new_connection = target_.new_connection;
  request.upstream = account.name;
  request.api = api_.name();
  transport_.scheduler().DeleteLater(std::move(transfer_));
  transfer_ = transport_.Get(request, *this);
}

void ProviderRequest::OnHead(const HttpResponse& response) {
  answer_.TakeHead(response);
  may_be_cut_ = response.ends_with_connection();
  upstream_.requests.OnHead(response.status(), transport_.scheduler().Now() - sent_);
  permit_->OnResponse(response.status(), AccountRequests(response));
}

bool ProviderRequest::OnBody(absl::string_view bytes) {
  if (!answer_.ok()) {
    if (!answer_.TakeBody(bytes)) {
      transfer_->Cancel();
      OnDone(absl::OkStatus());
    }
    return true;
  }
  if (listener_.OnDocument(bytes)) return true;
  refused_ = true;
  if (wanted_) {
    WatchForStall();
  } else {
    permit_->OnStalled();
  }
  return false;
}

void ProviderRequest::OnDone(absl::Status status) {
  // The operator has replaced the password since the request was sent. Send it with the new one.
  if (answer_.http_status() == kUnauthorized &&
      !(upstream_.options.account.password.get() == *password_)) {
    upstream_.requests.OnGivenUp();
    upstream_.requests.OnRetry();
    answer_ = ProviderAnswer();
    return Send();
  }
  const bool answered = answer_.has_head();
  // An error status is enough, even if its body is truncated.
  if (answered && !answer_.ok()) {
    status = answer_.ToStatus(upstream_.options.account, url(), absl::Now());
  }
  if (!status.ok()) Count(status);
  // Other failures do not show that the provider is down.
  if (!answered && absl::IsUnavailable(status)) {
    permit_->OnNoResponse(ReasonOf(status) == v1::ERROR_REASON_UPSTREAM_TIMEOUT
                              ? CircuitBreaker::Failure::kRequest
                              : CircuitBreaker::Failure::kUnreachable);
  }
  permit_.reset();
  listener_.OnRequestEnd(status);
}

// Polls whether the document is paused. Starting a timer with each pause would cost more.
void ProviderRequest::WatchForStall() {
  if (stall_timer_.is_waiting()) return;
  stall_timer_.Start(kStallTime, [this, resumed = resumed_] {
    if (!refused_ || permit_ == nullptr) return;
    if (resumed_ == resumed) {
      permit_->OnStalled();
    } else {
      WatchForStall();
    }
  });
}

}  // namespace rollcall::service
