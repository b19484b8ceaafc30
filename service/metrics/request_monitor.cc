#include "service/metrics/request_monitor.h"

#include <utility>

#include "absl/time/clock.h"

namespace rollcall::service {
namespace {

prometheus::Family<prometheus::Counter>& Requests(prometheus::Registry& registry) {
  return prometheus::BuildCounter()
      .Name("rollcall_upstream_requests_total")
      .Help("Requests to the provider that have ended")
      .Register(registry);
}

constexpr int kUnauthorized = 401;

// Whether the caller's request is at fault, rather than the upstream.
bool IsCallersFault(v1::ErrorReason reason) {
  return reason == v1::ERROR_REASON_UPSTREAM_NOT_FOUND ||
         reason == v1::ERROR_REASON_UPSTREAM_REJECTED_REQUEST ||
         reason == v1::ERROR_REASON_UPSTREAM_PAGE_EXPIRED;
}

}  // namespace

RequestMonitor::RequestMonitor(std::string upstream, prometheus::Registry& registry, EventLog& log)
    : upstream_(upstream),
      log_(log),
      ok_(Requests(registry).Add({{"upstream", upstream}, {"outcome", "ok"}})),
      given_up_(Requests(registry).Add({{"upstream", upstream}, {"outcome", "given_up"}})),
      retries_(prometheus::BuildCounter()
                   .Name("rollcall_retries_total")
                   .Help("Retried requests to the provider")
                   .Register(registry)
                   .Add({{"upstream", upstream}})),
      pages_(prometheus::BuildCounter()
                 .Name("rollcall_pages_total")
                 .Help("Pages whose response has begun")
                 .Register(registry)
                 .Add({{"upstream", upstream}})),
      first_byte_seconds_(
          prometheus::BuildHistogram()
              .Name("rollcall_upstream_first_byte_seconds")
              .Help("Time from a request to the head of its response")
              .Register(registry)
              .Add({{"upstream", upstream}},
                   prometheus::Histogram::BucketBoundaries{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                           1, 2.5, 5, 10, 30, 60})) {
  // All reasons that a request, as opposed to a call, can end with.
  for (const auto reason :
       {v1::ERROR_REASON_UNSPECIFIED, v1::ERROR_REASON_UPSTREAM_CREDENTIALS_REJECTED,
        v1::ERROR_REASON_UPSTREAM_ACCESS_DENIED, v1::ERROR_REASON_UPSTREAM_FEATURE_DISABLED,
        v1::ERROR_REASON_UPSTREAM_NOT_FOUND, v1::ERROR_REASON_UPSTREAM_REJECTED_REQUEST,
        v1::ERROR_REASON_UPSTREAM_RATE_LIMITED, v1::ERROR_REASON_UPSTREAM_UNAVAILABLE,
        v1::ERROR_REASON_UPSTREAM_UNREACHABLE, v1::ERROR_REASON_UPSTREAM_TIMEOUT,
        v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE, v1::ERROR_REASON_UPSTREAM_PAGE_EXPIRED,
        v1::ERROR_REASON_UPSTREAM_NOT_TRUSTED}) {
    const std::string name = NameOf(reason);
    failed_[reason] = &Requests(registry).Add(
        {{"upstream", upstream}, {"outcome", name.empty() ? "other" : name}});
  }
}

void RequestMonitor::OnHead(int http_status, std::chrono::nanoseconds after) {
  first_byte_seconds_.Observe(std::chrono::duration<double>(after).count());
  bool accepted = false;
  bool trusted = false;
  {
    const MutexLock lock(mutex_);
    trusted = std::exchange(health_.not_trusted, false);
    if (http_status >= 500) {
      // Set with the head: the circuit breaker may open before the rest of the response arrives.
      health_.failed_at = absl::Now();
      health_.failure = {absl::StatusCode::kUnavailable, v1::ERROR_REASON_UPSTREAM_UNAVAILABLE,
                         http_status, Identifier(), Identifier()};
    } else if (http_status != kUnauthorized) {
      // Any other status means that the credentials were accepted.
      accepted = std::exchange(health_.credentials_rejected, false);
    }
  }
  if (trusted) log_.Info("certificate_trusted", {{"upstream", upstream_}});
  if (accepted) log_.Info("credentials_accepted", {{"upstream", upstream_}});
}

void RequestMonitor::OnEnd(const absl::Status& status) {
  if (status.ok()) {
    ok_.Increment();
    return;
  }
  const ErrorFacts facts = FactsOf(status);
  prometheus::Counter* const counter = failed_[facts.reason];
  (counter != nullptr ? counter : failed_[v1::ERROR_REASON_UNSPECIFIED])->Increment();
  const bool rejected = facts.reason == v1::ERROR_REASON_UPSTREAM_CREDENTIALS_REJECTED;
  const bool not_trusted = facts.reason == v1::ERROR_REASON_UPSTREAM_NOT_TRUSTED;
  bool is_news = false;
  {
    const MutexLock lock(mutex_);
    if (!IsCallersFault(facts.reason)) {
      health_.failed_at = absl::Now();
      health_.failure = facts;
    }
    if (rejected) is_news = !std::exchange(health_.credentials_rejected, true);
    if (not_trusted) is_news = !std::exchange(health_.not_trusted, true);
  }
  if (!is_news) return;
  EventLog::Fields fields = {{"upstream", upstream_}};
  AddFacts(facts, fields);
  if (rejected) {
    log_.Error("credentials_rejected", fields);
  } else {
    log_.Error("certificate_not_trusted", fields);
  }
}

void RequestMonitor::OnCircuit(bool is_up) {
  EventLog::Fields fields = {{"upstream", upstream_}};
  {
    const MutexLock lock(mutex_);
    if (is_up) {
      health_.down_since.reset();
    } else {
      health_.down_since = absl::Now();
      AddFacts(health_.failure, fields);
    }
  }
  if (is_up) {
    log_.Info("upstream_recovered", fields);
  } else {
    log_.Error("upstream_down", fields);
  }
}

UpstreamHealth RequestMonitor::health() const {
  const MutexLock lock(mutex_);
  return health_;
}

}  // namespace rollcall::service
