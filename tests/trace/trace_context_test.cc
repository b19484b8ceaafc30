#include "service/trace/trace_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace rollcall::service {
namespace {

using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

constexpr char kTraceId[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kParent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TraceContext From(const std::string& traceparent) {
  return TraceContext({.traceparent = {traceparent}, .tracestate = {}, .request_id = {}});
}

std::string TracestateFrom(const std::vector<absl::string_view>& headers) {
  return TraceContext({.traceparent = {kParent}, .tracestate = headers, .request_id = {}})
      .tracestate();
}

std::string RequestIdFrom(const std::vector<absl::string_view>& headers) {
  return TraceContext({.traceparent = {}, .tracestate = {}, .request_id = headers}).request_id();
}

TEST(TraceContextTest, GeneratesMissingIds) {
  const TraceContext trace;
  EXPECT_THAT(trace.trace_id(), MatchesRegex("[0-9a-f]{32}"));
  EXPECT_THAT(trace.request_id(), MatchesRegex("[0-9a-f]{32}"));
  EXPECT_EQ(trace.tracestate(), "");
  EXPECT_THAT(trace.NewTraceparent(),
              MatchesRegex(absl::StrCat("00-", trace.trace_id(), "-[0-9a-f]{16}-00")));

  const TraceContext another;
  EXPECT_NE(another.trace_id(), trace.trace_id());
  EXPECT_NE(another.request_id(), trace.request_id());
}

TEST(TraceContextTest, ContinuesCallersTrace) {
  const TraceContext trace = From(kParent);
  EXPECT_EQ(trace.trace_id(), kTraceId);
  EXPECT_THAT(trace.NewTraceparent(),
              MatchesRegex(absl::StrCat("00-", kTraceId, "-[0-9a-f]{16}-01")));
}

TEST(TraceContextTest, GivesEachRequestItsOwnSpan) {
  const TraceContext trace = From(kParent);
  const std::string first = trace.NewTraceparent();
  EXPECT_NE(first, trace.NewTraceparent());
  EXPECT_NE(first, kParent);
}

TEST(TraceContextTest, PassesSampledFlagOnly) {
  const auto flags = [](const std::string& sent) {
    const std::string header = absl::StrCat("00-", kTraceId, "-00f067aa0ba902b7-", sent);
    const TraceContext trace = From(header);
    EXPECT_EQ(trace.trace_id(), kTraceId);
    const std::string traceparent = trace.NewTraceparent();
    return traceparent.substr(traceparent.size() - 2);
  };
  EXPECT_EQ(flags("00"), "00");
  EXPECT_EQ(flags("01"), "01");
  EXPECT_EQ(flags("fe"), "00");
  EXPECT_EQ(flags("ff"), "01");
}

TEST(TraceContextTest, ReadsLaterVersions) {
  for (const std::string& header :
       {absl::StrCat("01-", kTraceId, "-00f067aa0ba902b7-01"),
        absl::StrCat("cc-", kTraceId, "-00f067aa0ba902b7-01-what-the-future-will-be-like"),
        absl::StrCat("fe-", kTraceId, "-00f067aa0ba902b7-01-")}) {
    const TraceContext trace = From(header);
    EXPECT_EQ(trace.trace_id(), kTraceId) << header;
    EXPECT_THAT(trace.NewTraceparent(), StartsWith("00-"));
  }
}

TEST(TraceContextTest, ReplacesMalformedTraceparent) {
  for (const std::string& header : {
           std::string(),
           std::string("00"),
           absl::StrCat("ff-", kTraceId, "-00f067aa0ba902b7-01"),
           absl::StrCat("0x-", kTraceId, "-00f067aa0ba902b7-01"),
           absl::StrCat("0F-", kTraceId, "-00f067aa0ba902b7-01"),
           absl::StrCat("00-", std::string(32, '0'), "-00f067aa0ba902b7-01"),
           absl::StrCat("00-", kTraceId, "-0000000000000000-01"),
           absl::StrCat("00-", "4BF92F3577B34DA6A3CE929D0E0E4736", "-00f067aa0ba902b7-01"),
           absl::StrCat("00-", "4bf92f3577b34da6a3ce929d0e0e473g", "-00f067aa0ba902b7-01"),
           absl::StrCat("00-", kTraceId, "-00F067AA0BA902B7-01"),
           absl::StrCat("00-", kTraceId, "-00f067aa0ba902b7-0g"),
           absl::StrCat("00-", kTraceId, "-00f067aa0ba902b7-1"),
           absl::StrCat("00-", kTraceId, "-00f067aa0ba902b7-01-"),
           absl::StrCat("00-", kTraceId, "-00f067aa0ba902b7-01-more"),
           absl::StrCat("01-", kTraceId, "-00f067aa0ba902b7-01more"),
           absl::StrCat("00_", kTraceId, "-00f067aa0ba902b7-01"),
           absl::StrCat("00-", kTraceId, "_00f067aa0ba902b7-01"),
           absl::StrCat("00-", kTraceId, "-00f067aa0ba902b7_01"),
           absl::StrCat(" 00-", kTraceId, "-00f067aa0ba902b7-01"),
           absl::StrCat("00-", kTraceId, "-00f067aa0ba902b7-01\r\nX: y"),
       }) {
    const TraceContext trace = From(header);
    EXPECT_NE(trace.trace_id(), kTraceId) << header;
    EXPECT_THAT(trace.NewTraceparent(), MatchesRegex("00-[0-9a-f]{32}-[0-9a-f]{16}-00")) << header;
  }
  const TraceContext twice(
      {.traceparent = {kParent, kParent}, .tracestate = {"a=1"}, .request_id = {}});
  EXPECT_NE(twice.trace_id(), kTraceId);
  EXPECT_EQ(twice.tracestate(), "");
}

TEST(TraceContextTest, PassesTracestateOn) {
  EXPECT_EQ(TracestateFrom({"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"}),
            "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  EXPECT_EQ(TracestateFrom({"a=1", "b=2"}), "a=1,b=2");
  EXPECT_EQ(TracestateFrom({" a=1 ,\t, ,b= 2~!"}), "a=1,b= 2~!");
  EXPECT_EQ(TracestateFrom({"0tenant@vendor=1,a_-*/0=2"}), "0tenant@vendor=1,a_-*/0=2");
  const std::string longest =
      absl::StrCat(std::string(241, 'a'), "@", std::string(14, 'b'), "=", std::string(256, 'v'));
  EXPECT_EQ(TracestateFrom({longest}), longest);
  EXPECT_EQ(TracestateFrom({absl::StrCat(longest, ",", std::string(256, 'k'), "=1")}).size(),
            longest.size() + 259);
}

TEST(TraceContextTest, DropsMalformedTracestate) {
  for (const std::string& header : {std::string("a"),
                                    std::string("=1"),
                                    std::string("a="),
                                    std::string("A=1"),
                                    std::string("0a=1"),
                                    std::string("a b=1"),
                                    std::string("a =1"),
                                    std::string("a=1,a=2"),
                                    std::string("a=1=2"),
                                    std::string("a=\x01"),
                                    std::string("a=\x7f"),
                                    std::string("a=\xc3\xa9"),
                                    std::string("a@0b=1"),
                                    std::string("@b=1"),
                                    std::string("a@=1"),
                                    std::string("a@b@c=1"),
                                    std::string("a=1\r\nX: y"),
                                    absl::StrCat(std::string(257, 'k'), "=1"),
                                    absl::StrCat(std::string(242, 'k'), "@a=1"),
                                    absl::StrCat("a@", std::string(15, 'k'), "=1"),
                                    absl::StrCat("a=", std::string(257, 'v'))}) {
    EXPECT_EQ(TracestateFrom({header}), "") << header;
  }
  std::string members = "k0=1";
  for (int i = 1; i < 32; ++i) absl::StrAppend(&members, ",k", i, "=1");
  EXPECT_EQ(TracestateFrom({members}), members);
  EXPECT_EQ(TracestateFrom({absl::StrCat(members, ",k32=1")}), "");
  std::string large;
  for (int i = 0; i < 9; ++i) absl::StrAppend(&large, "k", i, "=", std::string(250, 'v'), ",");
  EXPECT_EQ(TracestateFrom({large}), "");
}

TEST(TraceContextTest, KeepsCallersRequestId) {
  EXPECT_EQ(RequestIdFrom({"8f14e45f-ceea.467a_b2B"}), "8f14e45f-ceea.467a_b2B");
  EXPECT_EQ(RequestIdFrom({std::string(128, 'x')}), std::string(128, 'x'));
}

TEST(TraceContextTest, ReplacesMalformedRequestId) {
  for (const std::string& header :
       {std::string(), std::string(129, 'x'), std::string("a b"), std::string("a\nb"),
        std::string("a\r\nX: y"), std::string("someone@example.com"), std::string("+15551234567"),
        std::string("\xc3\xa9"), std::string("a\0b", 3)}) {
    EXPECT_THAT(RequestIdFrom({header}), MatchesRegex("[0-9a-f]{32}")) << header;
  }
  EXPECT_THAT(RequestIdFrom({"a", "a"}), Not("a"));
}

}  // namespace
}  // namespace rollcall::service
