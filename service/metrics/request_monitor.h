// Counts and times the requests to one upstream, and logs once per change, with the cause, if the
// upstream is down, rejects the credentials, or has an untrusted certificate. Thread-safe.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "service/log/event_log.h"
#include "service/metrics/error_facts.h"
#include "service/sync/mutex.h"

namespace rollcall::service {

// The health of an upstream, according to its last responses.
struct UpstreamHealth {
  // Since when the circuit breaker is open; nothing if it is closed.
  std::optional<absl::Time> down_since;
  bool credentials_rejected = false;
  bool not_trusted = false;
  // The last failure that was not the caller's fault, if there was one.
  std::optional<absl::Time> failed_at;
  ErrorFacts failure;
};

class RequestMonitor {
 public:
  // `registry` and `log` must outlive the monitor. One monitor per upstream and registry.
  RequestMonitor(std::string upstream, prometheus::Registry& registry, EventLog& log);

  // The head of a response arrived this long after its request was sent.
  void OnHead(int http_status, std::chrono::nanoseconds after);

  // A request that was sent has ended.
  void OnEnd(const absl::Status& status);

  // A request that was sent was cancelled, because its call does not need it any more.
  void OnGivenUp() { given_up_.Increment(); }

  // A failed request will be retried.
  void OnRetry() { retries_.Increment(); }

  // The response with a page has begun.
  void OnPage() { pages_.Increment(); }

  // The circuit breaker has opened (false) or closed.
  void OnCircuit(bool is_up);

  UpstreamHealth health() const;

 private:
  const Identifier upstream_;
  EventLog& log_;
  prometheus::Counter& ok_;
  prometheus::Counter& given_up_;
  std::array<prometheus::Counter*, v1::ErrorReason_ARRAYSIZE> failed_{};
  prometheus::Counter& retries_;
  prometheus::Counter& pages_;
  prometheus::Histogram& first_byte_seconds_;

  mutable Mutex mutex_;
  UpstreamHealth health_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rollcall::service
