#include "service/metrics/call_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "service/error/error.h"
#include "tests/log/test_log.h"

namespace rollcall::service {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class CallReportTest : public ::testing::Test {
 protected:
  CallReportTest() { report_.SetCaller("ipv4:192.0.2.1"); }

  std::string Metrics() { return prometheus::TextSerializer().Serialize(registry_.Collect()); }

  prometheus::Registry registry_;
  TestLog log_;
  CallMonitor monitor_{{"main"}, registry_, log_.log(), true};
  CallReport report_{monitor_, CallMethod::kList};
};

TEST_F(CallReportTest, LogsAndCountsCall) {
  report_.SetUpstream("main");
  report_.SetQuery("live_participants");
  report_.SetIds("r-1", "0123456789abcdef0123456789abcdef");
  report_.OnRecords(3);
  report_.OnRecords(2);
  EXPECT_EQ(report_.Describe(77).records, 5);
  EXPECT_EQ(report_.Describe(77).queued_bytes, 77u);
  report_.End(absl::OkStatus(), {5, 2, 3, 1, 4});
  ASSERT_THAT(log_.Lines(), SizeIs(1));
  nlohmann::json line = log_.Lines()[0];
  EXPECT_GE(line["duration_ms"], line["first_record_ms"]);
  line.erase("duration_ms");
  line.erase("first_record_ms");
  EXPECT_EQ(line, nlohmann::json({{"level", "info"},
                                  {"event", "call"},
                                  {"method", "ListParticipants"},
                                  {"query", "live_participants"},
                                  {"caller", "ipv4:192.0.2.1"},
                                  {"upstream", "main"},
                                  {"code", "OK"},
                                  {"records", 5},
                                  {"pages", 2},
                                  {"attempts", 3},
                                  {"duplicates", 1},
                                  {"unrecognized", 4},
                                  {"request_id", "r-1"},
                                  {"trace_id", "0123456789abcdef0123456789abcdef"}}));
  const std::string metrics = Metrics();
  EXPECT_THAT(
      metrics,
      AllOf(
          HasSubstr(
              R"(rollcall_calls_total{code="OK",method="ListParticipants",reason="",upstream="main"} 1)"),
          HasSubstr(
              R"(rollcall_calls_total{code="OK",method="GetParticipant",reason="",upstream="main"} 0)"),
          HasSubstr(R"(rollcall_call_seconds_count{method="ListParticipants",upstream="main"} 1)"),
          HasSubstr(R"(rollcall_first_record_seconds_count{upstream="main"} 1)"),
          HasSubstr(R"(rollcall_duplicates_suppressed_total{upstream="main"} 1)")));
  EXPECT_THAT(monitor_.RecentErrors(), IsEmpty());
}

TEST_F(CallReportTest, LogsReasonAndProviderCodeOfError) {
  report_.SetUpstream("main");
  report_.End(MakeError(v1::ERROR_REASON_UPSTREAM_RATE_LIMITED, "for Ada Lovelace",
                        {{"http_status", "429"},
                         {"provider_code", "20429"},
                         {"provider_request_id", "RQ1"},
                         {"anything", "Ada Lovelace"}}),
              {});
  ASSERT_THAT(log_.Lines(), SizeIs(1));
  const nlohmann::json line = log_.Lines()[0];
  EXPECT_EQ(line["code"], "RESOURCE_EXHAUSTED");
  EXPECT_EQ(line["reason"], "UPSTREAM_RATE_LIMITED");
  EXPECT_EQ(line["http_status"], 429);
  EXPECT_EQ(line["provider_code"], "20429");
  EXPECT_EQ(line["provider_request_id"], "RQ1");
  EXPECT_FALSE(line.contains("first_record_ms"));
  EXPECT_THAT(log_.text(), Not(HasSubstr("Ada")));
  EXPECT_THAT(
      Metrics(),
      HasSubstr(
          R"({code="RESOURCE_EXHAUSTED",method="ListParticipants",reason="UPSTREAM_RATE_LIMITED",upstream="main"} 1)"));
  ASSERT_THAT(monitor_.RecentErrors(), SizeIs(1));
  EXPECT_EQ(monitor_.RecentErrors()[0].error.http_status, 429);
}

TEST_F(CallReportTest, CountsEveryReasonUnderItsName) {
  for (int number = 1; number <= v1::ErrorReason_MAX; ++number) {
    if (!v1::ErrorReason_IsValid(number)) continue;
    const auto reason = static_cast<v1::ErrorReason>(number);
    CallReport(monitor_, CallMethod::kGet).End(MakeError(reason, ""), {});
    EXPECT_THAT(Metrics(), HasSubstr(absl::StrCat(R"(",method="GetParticipant",reason=")",
                                                  NameOf(reason), R"(",upstream=""} 1)")));
  }
}

TEST_F(CallReportTest, KeepsLastErrorsOnly) {
  for (size_t i = 0; i < CallMonitor::kErrorsKept + 5; ++i) {
    CallReport report(monitor_, CallMethod::kGet);
    report.SetIds(absl::StrCat(i), "");
    report.End(MakeError(v1::ERROR_REASON_INVALID_REQUEST, ""), {});
  }
  report_.End(absl::CancelledError("the caller ended the call"), {});
  ASSERT_THAT(monitor_.RecentErrors(), SizeIs(CallMonitor::kErrorsKept));
  EXPECT_EQ(monitor_.RecentErrors()[0].call.request_id.text(),
            absl::StrCat(CallMonitor::kErrorsKept + 4));
}

TEST_F(CallReportTest, DoesNotLogCallsIfDisabled) {
  prometheus::Registry registry;
  CallMonitor silent({"main"}, registry, log_.log(), false);
  CallReport(silent, CallMethod::kGet).End(absl::OkStatus(), {});
  EXPECT_EQ(log_.text(), "");
}

}  // namespace
}  // namespace rollcall::service
