// Fuzzes what callers say of their traces: each line of the input is one header, whose first letter
// says which: p traceparent, s tracestate, r x-request-id.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "service/trace/trace_context.h"
#include "tests/fuzz/require.h"

namespace rollcall {
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

  Require(trace.trace_id().size() == 32, "a trace's id has its length");
  Require(trace.trace_id().find_first_not_of("0123456789abcdef") == std::string::npos,
          "a trace's id is hexadecimal");
  Require(trace.trace_id().find_first_not_of('0') != std::string::npos, "a trace's id is not zero");
  Require(!trace.request_id().empty() && trace.request_id().size() <= 128,
          "a request's id has a length that fits a log");
  for (const char c : trace.request_id()) {
    Require(absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.',
            "a request's id can stand anywhere");
  }
  for (const char c : trace.tracestate()) {
    Require(c >= ' ' && c <= '~', "the state of a trace can stand in a header");
  }
  Require(trace.tracestate().empty() || headers.traceparent.size() == 1,
          "without its parent the state of a trace means nothing");

  // What goes to the provider is what we would take from a caller ourselves.
  const std::string traceparent = trace.NewTraceparent();
  TraceHeaders next;
  next.traceparent = {traceparent};
  next.tracestate = {trace.tracestate()};
  next.request_id = {trace.request_id()};
  const TraceContext again(next);
  Require(again.trace_id() == trace.trace_id() && again.tracestate() == trace.tracestate() &&
              again.request_id() == trace.request_id(),
          "what is passed on is understood");
  Require(traceparent.substr(52) == again.NewTraceparent().substr(52),
          "who is sampled stays sampled");
}

}  // namespace
}  // namespace rollcall

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rollcall::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
