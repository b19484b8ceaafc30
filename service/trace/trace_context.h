// The ids that identify a call in logs and traces: trace id (W3C Trace Context) and request id.
// Both come from the caller, or are generated, and are sent to the provider with each request. All
// values are checked, so that they are safe in headers, log lines and errors. Values of any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rollcall::service {

// The values of a caller's headers, in order of arrival.
struct TraceHeaders {
  std::vector<absl::string_view> traceparent;
  std::vector<absl::string_view> tracestate;
  std::vector<absl::string_view> request_id;  // x-request-id
};

class TraceContext {
 public:
  // Generates new ids. The trace is not sampled.
  TraceContext();

  // Continues the caller's trace. Missing and malformed ids are generated. Without a valid
  // traceparent, the tracestate is dropped.
  explicit TraceContext(const TraceHeaders& caller);

  // 32 lower-case hexadecimal digits.
  const std::string& trace_id() const { return trace_id_; }

  // 1 to 128 letters, digits, '-', '_' and '.'.
  const std::string& request_id() const { return request_id_; }

  // The list of vendor entries; empty if there is none.
  const std::string& tracestate() const { return tracestate_; }

  // The traceparent for one request to a provider, with a new span id.
  std::string NewTraceparent() const;

 private:
  std::string trace_id_;
  std::string request_id_;
  std::string tracestate_;
  bool sampled_ = false;
};

}  // namespace rollcall::service
