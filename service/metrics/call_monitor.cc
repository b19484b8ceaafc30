#include "service/metrics/call_monitor.h"

#include "service/error/error.h"

namespace rollcall::service {
namespace {

using prometheus::Histogram;

// From one page of a fast provider to a long list of a slow one.
const Histogram::BucketBoundaries kCallSeconds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                                  2.5,   5,    10,    30,   60,  300,  1800};

double Seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

int64_t Milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

}  // namespace

CallMonitor::CallMonitor(const std::vector<std::string>& upstreams, prometheus::Registry& registry,
                         EventLog& log, bool log_calls)
    : log_(log), log_calls_(log_calls) {
  auto& calls = prometheus::BuildCounter()
                    .Name("rollcall_calls_total")
                    .Help("Calls that have ended")
                    .Register(registry);
  auto& seconds = prometheus::BuildHistogram()
                      .Name("rollcall_call_seconds")
                      .Help("Duration of calls")
                      .Register(registry);
  auto& first_record = prometheus::BuildHistogram()
                           .Name("rollcall_first_record_seconds")
                           .Help("Time until the first record of a list was decoded")
                           .Register(registry);
  auto& duplicates = prometheus::BuildCounter()
                         .Name("rollcall_duplicates_suppressed_total")
                         .Help("Replayed records that were skipped")
                         .Register(registry);
  std::vector<std::string> names = upstreams;
  names.emplace_back();  // for calls that are refused before their upstream is known
  for (const CallMethod method : kCallMethods) {
    for (const std::string& name : names) {
      OfUpstream& upstream = upstreams_[{method, name}];
      const prometheus::Labels labels = {{"method", NameOf(method)}, {"upstream", name}};
      upstream.seconds = &seconds.Add(labels, kCallSeconds);
      // Creates all series up front: rate() needs the initial zero of a counter.
      const auto add = [&](v1::ErrorReason reason, absl::StatusCode code) {
        prometheus::Labels of_outcome = labels;
        of_outcome["code"] = NameOf(code);
        of_outcome["reason"] = NameOf(reason);
        upstream.calls[{reason, code}] = &calls.Add(of_outcome);
      };
      add(v1::ERROR_REASON_UNSPECIFIED, absl::StatusCode::kOk);
      add(v1::ERROR_REASON_UNSPECIFIED, absl::StatusCode::kCancelled);
      add(v1::ERROR_REASON_UNSPECIFIED, absl::StatusCode::kUnknown);
      for (int number = 1; number <= v1::ErrorReason_MAX; ++number) {
        const auto reason = static_cast<v1::ErrorReason>(number);
        if (v1::ErrorReason_IsValid(number)) add(reason, MakeError(reason, "").code());
      }
      if (method == CallMethod::kGet || name.empty()) continue;
      upstream.first_record_seconds = &first_record.Add({{"upstream", name}}, kCallSeconds);
      upstream.duplicates = &duplicates.Add({{"upstream", name}});
    }
  }
}

void CallMonitor::OnEnd(const EndedCall& call, const absl::Status& status) {
  const ErrorFacts error = FactsOf(status);
  const auto found = upstreams_.find({call.method, call.upstream.text()});
  if (found != upstreams_.end()) {
    const OfUpstream& upstream = found->second;
    const auto counter = upstream.calls.find({error.reason, error.code});
    (counter != upstream.calls.end()
         ? counter->second
         : upstream.calls.at({v1::ERROR_REASON_UNSPECIFIED, absl::StatusCode::kUnknown}))
        ->Increment();
    upstream.seconds->Observe(Seconds(call.duration));
    if (upstream.first_record_seconds != nullptr && call.first_record) {
      upstream.first_record_seconds->Observe(Seconds(*call.first_record));
    }
    if (upstream.duplicates != nullptr && call.totals.duplicates > 0) {
      upstream.duplicates->Increment(static_cast<double>(call.totals.duplicates));
    }
  }
  if (!status.ok() && !absl::IsCancelled(status)) {
    const MutexLock lock(mutex_);
    errors_.push_front({absl::Now(), call, error});
    if (errors_.size() > kErrorsKept) errors_.pop_back();
  }
  if (!log_calls_) return;
  EventLog::Fields fields = {{"method", Identifier(NameOf(call.method))},
                             {"query", call.query},
                             {"caller", call.caller},
                             {"upstream", call.upstream},
                             {"code", error.code}};
  AddFacts(error, fields);
  fields.push_back({"records", call.totals.records});
  fields.push_back({"pages", call.totals.pages});
  fields.push_back({"attempts", call.totals.attempts});
  fields.push_back({"duplicates", call.totals.duplicates});
  fields.push_back({"unrecognized", call.totals.unrecognized});
  if (call.first_record) fields.push_back({"first_record_ms", Milliseconds(*call.first_record)});
  fields.push_back({"duration_ms", Milliseconds(call.duration)});
  if (!call.request_id.text().empty()) fields.push_back({"request_id", call.request_id});
  if (!call.trace_id.text().empty()) fields.push_back({"trace_id", call.trace_id});
  log_.Info("call", fields);
}

std::vector<FailedCall> CallMonitor::RecentErrors() const {
  const MutexLock lock(mutex_);
  return {errors_.begin(), errors_.end()};
}

}  // namespace rollcall::service
