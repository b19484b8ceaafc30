// Drift: values from a provider that fit no typed field are counted by upstream, path and kind, and
// logged once. Only the caller sees the values themselves.
#include <gmock/gmock.h>
#include <httplib.h>
#include <signal.h>

#include <cstdio>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/end_to_end/end_to_end.h"

namespace rollcall {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

// Three participants; only the first is as documented.
constexpr char kPage[] = R"({
  "meta": {"next_page_url": null},
  "participants": [
    {"label": "Ada Lovelace", "call_type": "sip", "duration_seconds": 1},
    {"label": "x", "label": "Ada Lovelace", "call_type": "carrier pigeon", "nickname": "Ada Lovelace",
     "duration_seconds": "+44 20 7946 0000", "metrics": {"inbound": {"of her": "Ada Lovelace"}}},
    {"nickname": "Ada Lovelace"}
  ]
})";

class DriftTest : public EndToEndTest {
 protected:
  void SetUp() override {
    EndToEndTest::SetUp();
    simulator_->AddPage(absl::StrCat("/v1/Conferences/", kConference, "/Participants"), kPage);
  }

  void StartWithMetrics(nlohmann::json changes = nlohmann::json::object()) {
    changes["metrics_listen"] = "127.0.0.1:0";
    StartDaemon(changes);
    metrics_url_ = daemon_->ReadMetricsUrl();
    ASSERT_THAT(metrics_url_, AllOf(StartsWith("http://127.0.0.1:"), Not(HasSubstr(":0/"))));
  }

  // The non-zero series of a metric.
  std::vector<std::string> Scrape(absl::string_view name) {
    std::vector<std::string> series;
    for (const auto& line : absl::StrSplit(ScrapeAll(), '\n')) {
      if (absl::StartsWith(line, absl::StrCat(name, "{")) && !absl::EndsWith(line, " 0")) {
        series.emplace_back(absl::StripPrefix(line, name));
      }
    }
    return series;
  }

  std::string ScrapeAll() {
    httplib::Client client(std::string(absl::StripSuffix(metrics_url_, "/metrics")));
    const auto answer = client.Get("/metrics");
    if (!answer || answer->status != 200) return "";
    return answer->body;
  }

  // The log lines about drift, without times. Stops rollcalld, so that the log is complete.
  std::vector<nlohmann::json> Log() {
    std::vector<nlohmann::json> lines;
    for (nlohmann::json& line : EndAndReadLog()) {
      if (line["event"] != "unrecognized_value") continue;
      line.erase("time");
      lines.push_back(std::move(line));
    }
    return lines;
  }

  static nlohmann::json Line(const std::string& path, const std::string& kind) {
    return {{"level", "warn"},
            {"event", "unrecognized_value"},
            {"upstream", "twilio"},
            {"path", path},
            {"kind", kind}};
  }

  std::string metrics_url_;
};

TEST_F(DriftTest, CountedByPathAndKindAndLoggedOnce) {
  StartWithMetrics();
  for (int i = 0; i < 2; ++i) {
    const Listing listing = List(ConferenceRequest(kConference));
    ASSERT_TRUE(listing.status.ok()) << listing.status.error_message();
    ASSERT_THAT(listing.participants, SizeIs(3));
    EXPECT_EQ(listing.trailers.at("rollcall-unrecognized"), "6");
  }
  EXPECT_THAT(Scrape("rollcall_participants_total"),
              ElementsAre(R"({record="conference_participant_summary",upstream="twilio"} 6)"));
  EXPECT_THAT(Scrape("rollcall_unrecognized_values_total"),
              UnorderedElementsAre(
                  R"({kind="duplicate_field",path="label",upstream="twilio"} 2)",
                  R"({kind="unknown_enum_value",path="call_type",upstream="twilio"} 2)",
                  R"({kind="unknown_field",path="nickname",upstream="twilio"} 4)",
                  R"({kind="unknown_field",path="metrics.inbound['of her']",upstream="twilio"} 2)",
                  R"({kind="wrong_type",path="duration_seconds",upstream="twilio"} 2)"));
  EXPECT_THAT(Log(), UnorderedElementsAre(Line("label", "duplicate_field"),
                                          Line("call_type", "unknown_enum_value"),
                                          Line("nickname", "unknown_field"),
                                          Line("metrics.inbound['of her']", "unknown_field"),
                                          Line("duration_seconds", "wrong_type")));
}

TEST_F(DriftTest, ValuesAreNeitherLoggedNorInMetrics) {
  StartWithMetrics();
  ASSERT_TRUE(List(ConferenceRequest(kConference)).status.ok());
  const std::string metrics = ScrapeAll();
  EndAndReadLog();
  for (const std::string& text : {daemon_->Errors(), metrics}) {
    EXPECT_THAT(text, HasSubstr("nickname"));
    for (const char* value : {"Ada", "Lovelace", "pigeon", "7946"}) {
      EXPECT_THAT(text, Not(HasSubstr(value)));
    }
  }
}

TEST_F(DriftTest, CountedIfItFailsTheCall) {
  nlohmann::json upstreams = Configuration()["upstreams"];
  upstreams[0]["strict"] = true;
  StartWithMetrics({{"upstreams", upstreams}});
  const Listing listing = List(ConferenceRequest(kConference));
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_UNRECOGNIZED_VALUE");
  EXPECT_THAT(Scrape("rollcall_unrecognized_values_total"), SizeIs(5));
  EXPECT_THAT(Log(), SizeIs(5));
}

TEST_F(DriftTest, CountedForGetParticipant) {
  StartWithMetrics();
  const simulator::List list(simulator::Api::kVoiceInsights, 10);
  simulator_->InjectFaults([](const simulator::Request&) {
    return simulator::Respond(200, R"({"participant_sid": null, "nickname": "Ada Lovelace"})");
  });
  v1::GetParticipantRequest request;
  request.mutable_conference_participant_summary()->set_conference_sid(ListSid(list));
  request.mutable_conference_participant_summary()->set_participant_sid(ParticipantSid(list, 0));
  v1::Participant participant;
  const grpc::Status status = Get(request, participant);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(Scrape("rollcall_participants_total"),
              ElementsAre(R"({record="conference_participant_summary",upstream="twilio"} 1)"));
  EXPECT_THAT(Log(), ElementsAre(Line("nickname", "unknown_field")));
}

TEST_F(DriftTest, ListWithoutDriftLogsNothing) {
  StartWithMetrics();
  for (const simulator::Api api : {simulator::Api::kVoiceInsights, simulator::Api::kVideoInsights,
                                   simulator::Api::kSignalWire, simulator::Api::kTwilioCore}) {
    ASSERT_TRUE(List(RequestFor({api, 30})).status.ok());
  }
  EXPECT_THAT(
      Scrape("rollcall_participants_total"),
      UnorderedElementsAre(R"({record="conference_participant_summary",upstream="twilio"} 30)",
                           R"({record="room_participant_summary",upstream="twilio"} 30)",
                           R"({record="live_participant",upstream="signalwire"} 30)",
                           R"({record="live_participant",upstream="twilio"} 30)"));
  EXPECT_THAT(Scrape("rollcall_unrecognized_values_total"), IsEmpty());
  EXPECT_THAT(Log(), IsEmpty());
}

TEST_F(DriftTest, CommandLineOptionEnablesMetrics) {
  const std::string config = ::testing::TempDir() + "rollcalld-metrics-on-the-command-line";
  std::ofstream(config) << Configuration();
  Daemon daemon({"--config", config, "--metrics-listen", "localhost:0"});
  std::remove(config.c_str());
  EXPECT_THAT(daemon.address(), StartsWith("127.0.0.1:"));
  metrics_url_ = daemon.ReadMetricsUrl();
  EXPECT_THAT(metrics_url_, StartsWith("http://localhost:"));
  EXPECT_THAT(ScrapeAll(), HasSubstr("\nrollcall_participants_total{"));
  daemon.Signal(SIGTERM);
  EXPECT_EQ(daemon.Wait(), 0);
}

TEST_F(DriftTest, UnusableMetricsAddressIsAnError) {
  StartWithMetrics();
  const std::string taken(
      absl::StripSuffix(absl::StripPrefix(metrics_url_, "http://"), "/metrics"));
  nlohmann::json configuration = Configuration();
  configuration["metrics_listen"] = taken;
  const std::string config = ::testing::TempDir() + "rollcalld-metrics-address-taken";
  std::ofstream(config) << configuration;
  Daemon daemon({"--config", config});
  EXPECT_EQ(daemon.address(), "");
  EXPECT_EQ(daemon.Wait(), 69);
  EXPECT_THAT(daemon.Errors(),
              StartsWith(absl::StrCat("rollcalld: cannot serve metrics on ", taken, ": ")));
  for (const char* nonsense : {"9464", "127.0.0.1:9464s", ""}) {
    Daemon refused({"--config", config, "--metrics-listen", nonsense});
    EXPECT_NE(refused.Wait(), 0) << nonsense;
    EXPECT_THAT(refused.Errors(), HasSubstr("--metrics-listen: expected host:port")) << nonsense;
  }
  std::remove(config.c_str());
}

}  // namespace
}  // namespace rollcall
