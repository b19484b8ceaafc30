#include "service/trace/trace_context.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace rollcall::service {
namespace {

constexpr std::size_t kMaxRequestId = 128;
// The specification requires at least 512 bytes. Well below the header limits of servers.
constexpr std::size_t kMaxTracestate = 2048;
constexpr std::size_t kMaxTracestateMembers = 32;

constexpr std::size_t kTraceIdSize = 32;
constexpr std::size_t kSpanIdSize = 16;
// "00-", the two ids, "-" and the flags.
constexpr std::size_t kTraceparentSize = 3 + kTraceIdSize + 1 + kSpanIdSize + 1 + 2;

bool IsLowerHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsZero(absl::string_view digits) {
  return std::all_of(digits.begin(), digits.end(), [](char c) { return c == '0'; });
}

struct Traceparent {
  absl::string_view trace_id;
  bool sampled;
};

// nullopt if the text is malformed.
std::optional<Traceparent> ParseTraceparent(absl::string_view text) {
  if (text.size() < kTraceparentSize) return std::nullopt;
  const absl::string_view version = text.substr(0, 2);
  const absl::string_view trace_id = text.substr(3, kTraceIdSize);
  const absl::string_view span_id = text.substr(3 + kTraceIdSize + 1, kSpanIdSize);
  const absl::string_view flags = text.substr(kTraceparentSize - 2, 2);
  if (!IsLowerHex(version) || version == "ff" || !IsLowerHex(flags)) return std::nullopt;
  if (text[2] != '-' || text[3 + kTraceIdSize] != '-' || text[kTraceparentSize - 3] != '-') {
    return std::nullopt;
  }
  // Later versions may append fields after a dash, but keep the present ones.
  if (text.size() > kTraceparentSize && (version == "00" || text[kTraceparentSize] != '-')) {
    return std::nullopt;
  }
  if (!IsLowerHex(trace_id) || IsZero(trace_id)) return std::nullopt;
  if (!IsLowerHex(span_id) || IsZero(span_id)) return std::nullopt;
  // This version defines the lowest flag only.
  unsigned bits = 0;
  std::from_chars(flags.data(), flags.data() + flags.size(), bits, 16);
  return Traceparent{trace_id, (bits & 1) != 0};
}

// A part of a key, of at most `max` bytes.
bool IsKeyPart(absl::string_view text, std::size_t max, bool may_begin_with_digit) {
  if (text.empty() || text.size() > max) return false;
  const auto first = static_cast<unsigned char>(text.front());
  if (!absl::ascii_islower(first) && !(may_begin_with_digit && absl::ascii_isdigit(first))) {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return absl::ascii_islower(byte) || absl::ascii_isdigit(byte) || c == '_' || c == '-' ||
           c == '*' || c == '/';
  });
}

// "vendor" or "tenant@vendor".
bool IsTracestateKey(absl::string_view key) {
  const std::size_t at = key.find('@');
  if (at == absl::string_view::npos) return IsKeyPart(key, 256, false);
  return IsKeyPart(key.substr(0, at), 241, true) && IsKeyPart(key.substr(at + 1), 14, false);
}

bool IsTracestateValue(absl::string_view value) {
  return !value.empty() && value.size() <= 256 && value.back() != ' ' &&
         std::all_of(value.begin(), value.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

// The members of all headers as one list; empty if they are malformed.
std::string ParseTracestate(const std::vector<absl::string_view>& headers) {
  std::vector<absl::string_view> members;
  std::vector<absl::string_view> keys;
  std::size_t size = 0;
  for (const absl::string_view header : headers) {
    for (absl::string_view member : absl::StrSplit(header, ',')) {
      member = absl::StripAsciiWhitespace(member);
      if (member.empty()) continue;
      const std::pair<absl::string_view, absl::string_view> parts =
          absl::StrSplit(member, absl::MaxSplits('=', 1));
      size += member.size() + 1;
      if (!IsTracestateKey(parts.first) || !IsTracestateValue(parts.second) ||
          std::find(keys.begin(), keys.end(), parts.first) != keys.end() ||
          keys.size() == kMaxTracestateMembers || size > kMaxTracestate) {
        return "";
      }
      keys.push_back(parts.first);
      members.push_back(member);
    }
  }
  return absl::StrJoin(members, ",");
}

bool IsRequestId(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxRequestId &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' ||
                  c == '.';
         });
}

// A random number other than zero.
std::string RandomHex64() {
  static thread_local absl::BitGen generator;
  return absl::StrFormat(
      "%016x", absl::Uniform<std::uint64_t>(absl::IntervalClosedClosed, generator, 1, UINT64_MAX));
}

}  // namespace

TraceContext::TraceContext() : TraceContext(TraceHeaders()) {}

TraceContext::TraceContext(const TraceHeaders& caller) {
  const auto parent =
      caller.traceparent.size() == 1 ? ParseTraceparent(caller.traceparent.front()) : std::nullopt;
  if (parent) {
    trace_id_ = std::string(parent->trace_id);
    sampled_ = parent->sampled;
    tracestate_ = ParseTracestate(caller.tracestate);
  } else {
    trace_id_ = absl::StrCat(RandomHex64(), RandomHex64());
  }
  request_id_ = caller.request_id.size() == 1 && IsRequestId(caller.request_id.front())
                    ? std::string(caller.request_id.front())
                    : absl::StrCat(RandomHex64(), RandomHex64());
}

std::string TraceContext::NewTraceparent() const {
  return absl::StrCat("00-", trace_id_, "-", RandomHex64(), sampled_ ? "-01" : "-00");
}

}  // namespace rollcall::service
