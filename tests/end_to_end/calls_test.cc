// What the operator sees of calls: one log line each, and metrics.
#include <gmock/gmock.h>
#include <httplib.h>

#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/end_to_end/end_to_end.h"

namespace rollcall {
namespace {

using simulator::Fault;
using simulator::Request;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;

class CallsTest : public EndToEndTest {
 protected:
  void SetUp() override {
    EndToEndTest::SetUp();
    Start();
  }

  void Start(nlohmann::json changes = nlohmann::json::object()) {
    changes["metrics_listen"] = "127.0.0.1:0";
    StartDaemon(changes);
    metrics_url_ = daemon_->ReadMetricsUrl();
  }

  // The value of a series as text; empty if there is none.
  std::string Metric(const std::string& series) {
    httplib::Client client(std::string(absl::StripSuffix(metrics_url_, "/metrics")));
    const auto answer = client.Get("/metrics");
    if (!answer) return "no answer";
    for (const absl::string_view line : absl::StrSplit(answer->body, '\n')) {
      if (absl::StartsWith(line, absl::StrCat(series, " "))) {
        return std::string(line.substr(series.size() + 1));
      }
    }
    return "";
  }

  // The log lines of calls, reduced to the text of these fields.
  std::vector<std::string> CallLines(const std::vector<std::string>& fields) {
    std::vector<std::string> found;
    for (const nlohmann::json& line : EndAndReadLog()) {
      if (line["event"] != "call") continue;
      std::string text;
      for (const std::string& field : fields) {
        absl::StrAppend(&text, text.empty() ? "" : " ",
                        line.contains(field) ? line[field].dump() : "-");
      }
      found.push_back(text);
    }
    return found;
  }

  std::string metrics_url_;
};

TEST_F(CallsTest, EveryCallIsLogged) {
  ASSERT_TRUE(List(ConferenceRequest(2500)).status.ok());
  v1::ListParticipantsRequest limited = RequestFor({simulator::Api::kSignalWire, 10});
  limited.set_limit(3);
  ASSERT_TRUE(List(limited).status.ok());
  EXPECT_EQ(Reason(List(ConferenceRequest("CFbad")).status), "INVALID_REQUEST");
  v1::ListParticipantsRequest unknown = ConferenceRequest(1);
  unknown.set_upstream("Ada Lovelace");
  EXPECT_EQ(Reason(List(unknown).status), "INVALID_REQUEST");
  EXPECT_EQ(Reason(List(ConferenceRequest("CF" + std::string(32, 'b'))).status),
            "UPSTREAM_NOT_FOUND");
  v1::Participant participant;
  v1::GetParticipantRequest get;
  EXPECT_EQ(Reason(Get(get, participant)), "INVALID_REQUEST");
  const simulator::List list(simulator::Api::kVoiceInsights, 10);
  get.mutable_conference_participant_summary()->set_conference_sid(ListSid(list));
  get.mutable_conference_participant_summary()->set_participant_sid(ParticipantSid(list, 0));
  ASSERT_TRUE(Get(get, participant).ok());
  const std::vector<std::string> expected = {
      R"("ListParticipants" "conference_participant_summaries" "twilio" "OK" - 2500 3 3)",
      R"("ListParticipants" "live_participants" "signalwire" "OK" - 3 1 1)",
      R"("ListParticipants" "conference_participant_summaries" "" "INVALID_ARGUMENT" "INVALID_REQUEST" 0 0 0)",
      R"("ListParticipants" "conference_participant_summaries" "" "INVALID_ARGUMENT" "INVALID_REQUEST" 0 0 0)",
      R"("ListParticipants" "conference_participant_summaries" "twilio" "NOT_FOUND" "UPSTREAM_NOT_FOUND" 0 0 1)",
      R"("GetParticipant" "" "" "INVALID_ARGUMENT" "INVALID_REQUEST" 0 0 0)",
      R"("GetParticipant" "conference_participant_summary" "twilio" "OK" - 1 0 1)"};
  EXPECT_EQ(
      CallLines({"method", "query", "upstream", "code", "reason", "records", "pages", "attempts"}),
      expected);
}

// A truncated field, and a field with an invalid wire type.
TEST_F(CallsTest, CallWithMalformedRequestIsLogged) {
  for (const char* method : {"ListParticipants", "GetParticipant"}) {
    for (const std::string& bytes : {std::string("\x0A\x7F"), std::string("\xFF\xFF")}) {
      std::string answer;
      const grpc::Status status = CallWithBytes(
          channel(), absl::StrCat("/rollcall.v1.ParticipantService/", method), bytes, answer);
      EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << method;
      EXPECT_EQ(Reason(status), "INVALID_REQUEST") << method;
    }
    EXPECT_EQ(Metric(absl::StrCat(R"(rollcall_calls_total{code="INVALID_ARGUMENT",method=")",
                                  method, R"(",reason="INVALID_REQUEST",upstream=""})")),
              "2");
  }
  EXPECT_EQ(CallLines({"method", "code", "reason"}),
            (std::vector<std::string>{R"("ListParticipants" "INVALID_ARGUMENT" "INVALID_REQUEST")",
                                      R"("ListParticipants" "INVALID_ARGUMENT" "INVALID_REQUEST")",
                                      R"("GetParticipant" "INVALID_ARGUMENT" "INVALID_REQUEST")",
                                      R"("GetParticipant" "INVALID_ARGUMENT" "INVALID_REQUEST")"}));
}

TEST_F(CallsTest, CancelledCallIsLoggedWithItsRecords) {
  simulator_->InjectFaults([](const Request&) { return simulator::HoldAfter(20000); });
  {
    grpc::ClientContext context;
    const auto reader = stub().ListParticipants(&context, ConferenceRequest(500));
    v1::ListParticipantsResponse response;
    ASSERT_TRUE(reader->Read(&response));
    EXPECT_EQ(Metric(R"(rollcall_calls_running{method="ListParticipants"})"), "1");
    EXPECT_EQ(Metric(R"(rollcall_requests_in_flight{upstream="twilio"})"), "1");
    context.TryCancel();
    while (reader->Read(&response)) {
    }
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  // The client's Finish() returns before the service has logged the call.
  ASSERT_TRUE(simulator_->WaitForDisconnects(1));
  while (daemon_->IsRunning() &&
         Metric(R"(rollcall_calls_running{method="ListParticipants"})") != "0") {
  }
  EXPECT_EQ(
      Metric(
          R"(rollcall_calls_total{code="CANCELLED",method="ListParticipants",reason="",upstream="twilio"})"),
      "1");
  EXPECT_EQ(Metric(R"(rollcall_upstream_requests_total{outcome="given_up",upstream="twilio"})"),
            "1");
  EXPECT_EQ(Metric(R"(rollcall_requests_in_flight{upstream="twilio"})"), "0");
  EXPECT_EQ(CallLines({"code", "reason", "pages", "attempts"}),
            std::vector<std::string>({R"("CANCELLED" - 1 1)"}));
}

TEST_F(CallsTest, RequestsAreCountedByResult) {
  // While the circuit breaker is open, attempts fail without a request.
  Start({{"retry", {{"max_attempts", 100}, {"initial_backoff_seconds", 0.001}}},
         {"circuit_breaker", {{"failures", 1}, {"open_seconds", 0.001}}}});
  std::atomic<int> asked = 0;
  simulator_->InjectFaults([&asked](const Request&) {
    const int number = ++asked;
    return number <= 2   ? simulator::Respond(503)
           : number == 3 ? simulator::Respond(200, R"({"participants":[]})")
                         : Fault();
  });
  ASSERT_TRUE(List(ConferenceRequest(5)).status.ok());
  const auto requests = [this](const std::string& outcome) {
    return Metric(absl::StrCat("rollcall_upstream_requests_total{outcome=\"", outcome,
                               "\",upstream=\"twilio\"}"));
  };
  EXPECT_EQ(requests("UPSTREAM_UNAVAILABLE"), "2");
  EXPECT_EQ(requests("ok"), "1");
  EXPECT_EQ(requests("UPSTREAM_MALFORMED_RESPONSE"), "1");
  EXPECT_GE(std::stoi(Metric(R"(rollcall_retries_total{upstream="twilio"})")), 3);
  EXPECT_EQ(Metric(R"(rollcall_pages_total{upstream="twilio"})"), "2");
  EXPECT_EQ(Metric(R"(rollcall_circuit_open{upstream="twilio"})"), "0");
  EXPECT_EQ(Metric(R"(rollcall_upstream_first_byte_seconds_count{upstream="twilio"})"), "4");
  EXPECT_EQ(
      Metric(
          R"(rollcall_participants_total{record="conference_participant_summary",upstream="twilio"})"),
      "5");
  EXPECT_EQ(Metric("rollcall_send_queue_bytes"), "0");
  EXPECT_EQ(Metric("rollcall_draining"), "0");
  std::vector<std::string> events;
  for (const nlohmann::json& line : EndAndReadLog()) {
    if (line["event"] == "upstream_down") {
      EXPECT_EQ(line["reason"], "UPSTREAM_UNAVAILABLE");
      EXPECT_EQ(line["http_status"], 503);
    }
    events.push_back(line["event"]);
  }
  EXPECT_EQ(events, std::vector<std::string>(
                        {"serving", "upstream_down", "upstream_recovered", "call", "draining"}));
}

TEST_F(CallsTest, RejectedCredentialsAreLogged) {
  simulator_->InjectFaults(
      [](const Request&) { return simulator::Respond(401, R"({"code": 20003})"); });
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Reason(List(ConferenceRequest(5)).status), "UPSTREAM_CREDENTIALS_REJECTED");
  }
  int told = 0;
  for (const nlohmann::json& line : EndAndReadLog()) {
    if (line["event"] != "credentials_rejected") continue;
    ++told;
    EXPECT_EQ(line["upstream"], "twilio");
    EXPECT_EQ(line["provider_code"], "20003");
  }
  EXPECT_EQ(told, 1);
}

TEST_F(CallsTest, CallLogCanBeDisabled) {
  Start({{"log_calls", false}});
  ASSERT_TRUE(List(ConferenceRequest(5)).status.ok());
  for (const nlohmann::json& line : EndAndReadLog()) EXPECT_NE(line["event"], "call");
}

}  // namespace
}  // namespace rollcall
