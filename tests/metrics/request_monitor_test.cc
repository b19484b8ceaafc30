#include "service/metrics/request_monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <string>
#include <vector>

#include "service/error/error.h"
#include "tests/log/test_log.h"

namespace rollcall::service {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

absl::Status Failure(v1::ErrorReason reason, const std::string& http_status = "") {
  return MakeError(reason, "", {{"http_status", http_status}});
}

class RequestMonitorTest : public ::testing::Test {
 protected:
  std::vector<std::string> Events() const {
    std::vector<std::string> events;
    for (const auto& line : log_.Lines()) events.push_back(line["event"]);
    return events;
  }
  std::string Metrics() { return prometheus::TextSerializer().Serialize(registry_.Collect()); }

  prometheus::Registry registry_;
  TestLog log_;
  RequestMonitor monitor_{"main", registry_, log_.log()};
};

TEST_F(RequestMonitorTest, CountsByOutcome) {
  monitor_.OnHead(200, std::chrono::milliseconds(20));
  monitor_.OnEnd(absl::OkStatus());
  monitor_.OnEnd(Failure(v1::ERROR_REASON_UPSTREAM_TIMEOUT));
  monitor_.OnEnd(absl::InternalError("unknown"));
  monitor_.OnGivenUp();
  monitor_.OnRetry();
  monitor_.OnPage();
  EXPECT_THAT(
      Metrics(),
      AllOf(HasSubstr(R"(rollcall_upstream_requests_total{outcome="ok",upstream="main"} 1)"),
            HasSubstr(R"({outcome="UPSTREAM_TIMEOUT",upstream="main"} 1)"),
            HasSubstr(R"({outcome="UPSTREAM_UNAVAILABLE",upstream="main"} 0)"),
            HasSubstr(R"({outcome="other",upstream="main"} 1)"),
            HasSubstr(R"({outcome="given_up",upstream="main"} 1)"),
            HasSubstr(R"(rollcall_retries_total{upstream="main"} 1)"),
            HasSubstr(R"(rollcall_pages_total{upstream="main"} 1)"),
            HasSubstr(R"(first_byte_seconds_bucket{upstream="main",le="0.01"} 0)"),
            HasSubstr(R"(first_byte_seconds_bucket{upstream="main",le="0.025"} 1)")));
}

TEST_F(RequestMonitorTest, LogsRejectedCredentialsOnce) {
  for (int i = 0; i < 3; ++i) {
    monitor_.OnHead(401, std::chrono::milliseconds(1));
    monitor_.OnEnd(Failure(v1::ERROR_REASON_UPSTREAM_CREDENTIALS_REJECTED, "401"));
    // Neither confirms nor rejects the credentials.
    monitor_.OnEnd(Failure(v1::ERROR_REASON_UPSTREAM_UNREACHABLE));
    monitor_.OnHead(503, std::chrono::milliseconds(1));
    monitor_.OnEnd(Failure(v1::ERROR_REASON_UPSTREAM_UNAVAILABLE, "503"));
  }
  EXPECT_THAT(log_.Lines(), ElementsAre(nlohmann::json({{"level", "error"},
                                                        {"event", "credentials_rejected"},
                                                        {"upstream", "main"},
                                                        {"reason", "UPSTREAM_CREDENTIALS_REJECTED"},
                                                        {"http_status", 401}})));
  EXPECT_TRUE(monitor_.health().credentials_rejected);
  // Determined from the head, because the rest may not be read.
  monitor_.OnHead(404, std::chrono::milliseconds(1));
  monitor_.OnHead(200, std::chrono::milliseconds(1));
  EXPECT_THAT(Events(), ElementsAre("credentials_rejected", "credentials_accepted"));
  EXPECT_FALSE(monitor_.health().credentials_rejected);
}

TEST_F(RequestMonitorTest, LogsUntrustedCertificateOnce) {
  for (int i = 0; i < 3; ++i) {
    monitor_.OnEnd(Failure(v1::ERROR_REASON_UPSTREAM_NOT_TRUSTED));
  }
  EXPECT_THAT(Events(), ElementsAre("certificate_not_trusted"));
  monitor_.OnHead(500, std::chrono::milliseconds(1));
  monitor_.OnHead(200, std::chrono::milliseconds(1));
  EXPECT_THAT(Events(), ElementsAre("certificate_not_trusted", "certificate_trusted"));
}

TEST_F(RequestMonitorTest, LogsDownUpstreamWithCause) {
  monitor_.OnEnd(Failure(v1::ERROR_REASON_UPSTREAM_TIMEOUT));
  monitor_.OnHead(503, std::chrono::milliseconds(1));
  monitor_.OnCircuit(false);
  EXPECT_TRUE(monitor_.health().down_since);
  monitor_.OnCircuit(true);
  EXPECT_FALSE(monitor_.health().down_since);
  EXPECT_THAT(log_.Lines(), ElementsAre(nlohmann::json({{"level", "error"},
                                                        {"event", "upstream_down"},
                                                        {"upstream", "main"},
                                                        {"reason", "UPSTREAM_UNAVAILABLE"},
                                                        {"http_status", 503}}),
                                        nlohmann::json({{"level", "info"},
                                                        {"event", "upstream_recovered"},
                                                        {"upstream", "main"}})));
}

TEST_F(RequestMonitorTest, IgnoresCallersFaultsInHealth) {
  for (const auto reason :
       {v1::ERROR_REASON_UPSTREAM_NOT_FOUND, v1::ERROR_REASON_UPSTREAM_REJECTED_REQUEST,
        v1::ERROR_REASON_UPSTREAM_PAGE_EXPIRED}) {
    monitor_.OnEnd(Failure(reason, "404"));
  }
  EXPECT_FALSE(monitor_.health().failed_at);
  monitor_.OnEnd(Failure(v1::ERROR_REASON_UPSTREAM_RATE_LIMITED, "429"));
  EXPECT_TRUE(monitor_.health().failed_at);
  EXPECT_EQ(monitor_.health().failure.http_status, 429);
  EXPECT_THAT(Events(), IsEmpty());
}

}  // namespace
}  // namespace rollcall::service
