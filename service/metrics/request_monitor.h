// Watches the requests to one upstream: counts them, times them, and tells the operator in the log,
// once for each change, that the upstream is down, does not take the credentials or is not trusted,
// and why. Made by Telemetry, one for each upstream; called on the threads of the event loops and
// of the admin server.
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

namespace rollcall {

// How an upstream is, as far as its last answers tell.
struct UpstreamHealth {
  // Since when it is down; nothing while it is not.
  std::optional<absl::Time> down_since;
  bool credentials_rejected = false;
  bool not_trusted = false;
  // The last failure that is not a caller's doing, if there was any.
  std::optional<absl::Time> failed_at;
  ErrorFacts failure;
};

class RequestMonitor {
 public:
  // `registry` and `log` must outlive the monitor. Of one registry, each upstream has one monitor.
  RequestMonitor(std::string upstream, prometheus::Registry& registry, EventLog& log);

  // The head of an answer came so long after its request went out.
  void OnHead(int http_status, std::chrono::nanoseconds after);

  // A request that went out has ended.
  void OnEnd(const absl::Status& status);

  // A request that went out was given up: its call does not need it any more.
  void OnGivenUp() { given_up_.Increment(); }

  // A failed request is going to be made again.
  void OnRetry() { retries_.Increment(); }

  // The provider began to send a page.
  void OnPage() { pages_.Increment(); }

  // The upstream was given up as down for now (false), or is back.
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

}  // namespace rollcall
