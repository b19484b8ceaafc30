// Fuzzes callers' trace headers. Each line of the input is one header, named by its first letter: p
// traceparent, s tracestate, r x-request-id.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "service/trace/trace_context.h"
#include "tests/fuzz/require.h"

namespace rollcall::service {
namespace {

TraceHeaders Headers(absl::string_view text) {
  TraceHeaders headers;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (line.empty()) continue;
    if (line.front() == 'p') headers.traceparent.push_back(line.substr(1));
    if (line.front() == 's') headers.tracestate.push_back(line.substr(1));
    if (line.front() == 'r') headers.request_id.push_back(line.substr(1));
  }
  return headers;
}

void Fuzz(absl::string_view text) {
  const TraceHeaders headers = Headers(text);
  const TraceContext trace(headers);

  Require(trace.trace_id().size() == 32, "a trace id has 32 digits");
  Require(trace.trace_id().find_first_not_of("0123456789abcdef") == std::string::npos,
          "a trace id is hexadecimal");
  Require(trace.trace_id().find_first_not_of('0') != std::string::npos, "a trace id is not zero");
  Require(!trace.request_id().empty() && trace.request_id().size() <= 128,
          "a request id is short enough for the log");
  for (const char c : trace.request_id()) {
    Require(absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.',
            "a request id has only safe characters");
  }
  for (const char c : trace.tracestate()) {
    Require(c >= ' ' && c <= '~', "a tracestate is printable ASCII");
  }
  Require(trace.tracestate().empty() || headers.traceparent.size() == 1,
          "there is no tracestate without a traceparent");

  // The headers sent to the provider must be valid as a caller's headers.
  const std::string traceparent = trace.NewTraceparent();
  TraceHeaders next;
  next.traceparent = {traceparent};
  next.tracestate = {trace.tracestate()};
  next.request_id = {trace.request_id()};
  const TraceContext again(next);
  Require(again.trace_id() == trace.trace_id() && again.tracestate() == trace.tracestate() &&
              again.request_id() == trace.request_id(),
          "forwarded headers keep the trace and request ids");
  Require(traceparent.substr(52) == again.NewTraceparent().substr(52),
          "the sampled flag is forwarded");
}

}  // namespace
}  // namespace rollcall::service

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rollcall::service::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
