// The ids by which a call can be found in logs and traces: that of its trace, as W3C Trace Context
// has it, and that of the request. Both come from the caller and go to the provider with each
// request, and into errors and the log. Made where a call comes in; a value that any thread may
// read. What it holds was checked or made here, so that it can stand in a header, a log line or an
// error as it is.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rollcall {

// The values of a caller's headers, in the order in which they came.
struct TraceHeaders {
  std::vector<absl::string_view> traceparent;
  std::vector<absl::string_view> tracestate;
  std::vector<absl::string_view> request_id;  // x-request-id
};

class TraceContext {
 public:
  // Begins a trace that is not sampled, and a request.
  TraceContext();

  // Goes on with those of a caller. What it did not send, or not as the specification has it, is
  // made anew; without a good traceparent its tracestate means nothing and is left out.
  explicit TraceContext(const TraceHeaders& caller);

  // 32 lower-case hexadecimal digits.
  const std::string& trace_id() const { return trace_id_; }

  // 1 to 128 letters, digits, '-', '_' and '.'.
  const std::string& request_id() const { return request_id_; }

  // The list of the vendors, empty where there is none.
  const std::string& tracestate() const { return tracestate_; }

  // The traceparent of one request to a provider: it has a span id of its own.
  std::string NewTraceparent() const;

 private:
  std::string trace_id_;
  std::string request_id_;
  std::string tracestate_;
  bool sampled_ = false;
};

}  // namespace rollcall
