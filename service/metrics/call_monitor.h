// Counts ended calls, logs each of them, and keeps the last errors for the status page.
// Thread-safe.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "service/log/event_log.h"
#include "service/metrics/call_totals.h"
#include "service/metrics/error_facts.h"
#include "service/metrics/running_call.h"
#include "service/sync/mutex.h"

namespace rollcall::service {

// A call that has ended.
struct EndedCall {
  CallMethod method = CallMethod::kList;
  Identifier caller;
  Identifier upstream;  // empty if the call was refused before the upstream was known
  Identifier query;     // likewise
  Identifier request_id;
  Identifier trace_id;
  std::optional<std::chrono::nanoseconds> first_record;  // after the beginning of the call
  std::chrono::nanoseconds duration{};
  CallTotals totals;
};

// A call that failed.
struct FailedCall {
  absl::Time time;
  EndedCall call;
  ErrorFacts error;
};

class CallMonitor {
 public:
  static constexpr size_t kErrorsKept = 50;

  // `upstreams` are the names of the configured ones. `registry` and `log` must outlive the
  // monitor.
  CallMonitor(const std::vector<std::string>& upstreams, prometheus::Registry& registry,
              EventLog& log, bool log_calls);

  void OnEnd(const EndedCall& call, const absl::Status& status);

  // Newest first, without calls that their callers cancelled.
  std::vector<FailedCall> RecentErrors() const;

 private:
  struct OfUpstream {
    // By reason, and for calls without one by code.
    std::map<std::pair<v1::ErrorReason, absl::StatusCode>, prometheus::Counter*> calls;
    prometheus::Histogram* seconds = nullptr;
    prometheus::Histogram* first_record_seconds = nullptr;  // lists only
    prometheus::Counter* duplicates = nullptr;              // likewise
  };

  EventLog& log_;
  const bool log_calls_;
  // By method and upstream. Does not change.
  std::map<std::pair<CallMethod, std::string>, OfUpstream> upstreams_;

  mutable Mutex mutex_;
  std::deque<FailedCall> errors_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rollcall::service
