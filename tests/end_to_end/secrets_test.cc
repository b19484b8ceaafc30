// Nothing leaks: credentials and personal data, each marked, go through every path that a call can
// take, and then everything that was written is searched for the marks: standard output and error,
// metrics, the status page, and the errors that callers get.
#include <gmock/gmock.h>
#include <httplib.h>
#include <signal.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "google/rpc/error_details.pb.h"
#include "tests/end_to_end/end_to_end.h"

namespace rollcall {
namespace {

using simulator::Direction;
using simulator::Request;
using ::testing::HasSubstr;

// Each mark has it, and nothing else does.
constexpr char kMark[] = "xyzzy";
constexpr char kTwilioToken[] = "Twilio-xyzzy-token";
constexpr char kSignalWireToken[] = "SignalWire-xyzzy-token";
constexpr char kMetricsToken[] = "metrics-xyzzy-token";
constexpr char kConference[] = "CF00000000000000000000000000000001";

class SecretsTest : public EndToEndTest {
 protected:
  SecretsTest() {
    simulator_options_.accounts.twilio_password = kTwilioToken;
    simulator_options_.accounts.signalwire_token = kSignalWireToken;
  }

  nlohmann::json Configuration() const override {
    nlohmann::json configuration = EndToEndTest::Configuration();
    configuration["upstreams"][0]["auth_token"] = kTwilioToken;
    configuration["upstreams"][1]["api_token"] = kSignalWireToken;
    configuration["metrics_listen"] = "127.0.0.1:0";
    configuration["metrics_token"] = kMetricsToken;
    configuration["retry"] = {{"max_attempts", 3}, {"initial_backoff_seconds", 0.001}};
    configuration["circuit_breaker"] = {{"failures", 4}, {"open_seconds", 0.01}};
    return configuration;
  }

  void SetUp() override {
    EndToEndTest::SetUp();
    url_ = std::string(absl::StripSuffix(daemon_->ReadMetricsUrl(), "/metrics"));
  }

  void TearDown() override {
    Search("metrics", Page("/metrics"));
    Search("status page", Page("/"));
    const auto refused = httplib::Client(url_).Get("/metrics", {{"Authorization", "Bearer wrong"}});
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 401);
    Search("refusal", refused->body);
    EndAndReadLog();
    Search("standard error", daemon_->Errors());
    Search("standard output", daemon_->RestOfOutput());
  }

  static void Search(const std::string& where, const std::string& text) {
    const std::string lower = absl::AsciiStrToLower(text);
    EXPECT_FALSE(absl::StrContains(lower, kMark)) << where << ":\n" << text;
    for (const char* secret : {kTwilioToken, kSignalWireToken}) {
      // As HTTP Basic sends it, behind any username: a part of it that is the same for all three
      // ways in which it can be aligned.
      for (const char* before : {"", ":", "::"}) {
        const std::string encoded = absl::Base64Escape(absl::StrCat(before, secret));
        EXPECT_FALSE(absl::StrContains(text, encoded.substr(4, 12))) << where << ":\n" << text;
      }
    }
  }

  std::string Page(const std::string& path) {
    const auto answer = httplib::Client(url_).Get(
        path, {{"Authorization", absl::StrCat("Bearer ", kMetricsToken)}});
    EXPECT_TRUE(answer && answer->status == 200) << path;
    return answer ? answer->body : "";
  }

  // Lists, and searches all that the caller gets beside the records. Returns the reason.
  std::string ListAndSearch(const v1::ListParticipantsRequest& request) {
    const Listing listing = List(request);
    SearchStatus(listing.status);
    for (const auto& [key, value] : listing.trailers) Search(key, value);
    return Reason(listing.status);
  }

  static void SearchStatus(const grpc::Status& status) {
    Search("message", status.error_message());
    Search("details", status.error_details());
  }

  // A page of records whose every value is marked.
  static std::string MarkedPage(const std::string& next) {
    return absl::StrCat(R"({"meta": {"next_page_url": )",
                        next.empty() ? "null" : "\"" + next + "\"",
                        R"(}, "participants": [
      {"participant_sid": "CP00000000000000000000000000000001", "label": "xyzzy-label",
       "from": "+1555xyzzy", "to": "+1666xyzzy"},
      {"label": "xyzzy", "label": "xyzzy again", "call_type": "xyzzy-type", "nickname": "xyzzy",
       "duration_seconds": "xyzzy", "metrics": {"inbound": {"mos": "xyzzy"}}}]})");
  }

  static std::string Target() {
    return absl::StrCat("/v1/Conferences/", kConference, "/Participants");
  }

  std::string url_;
};

TEST_F(SecretsTest, Records) {
  simulator_->AddPage(Target(), MarkedPage(""));
  const Listing listing = List(ConferenceRequest(kConference));
  ASSERT_TRUE(listing.status.ok()) << listing.status.error_message();
  ASSERT_EQ(listing.participants.size(), 2u);
  // They do come through to the caller.
  EXPECT_EQ(listing.participants[0].conference_participant_summary().label(), "xyzzy-label");
  for (const auto& [key, value] : listing.trailers) Search(key, value);
  EXPECT_THAT(Page("/metrics"), HasSubstr("nickname"));
}

TEST_F(SecretsTest, RecordsOfAStrictUpstream) {
  nlohmann::json upstreams = Configuration()["upstreams"];
  upstreams[0]["strict"] = true;
  StartDaemon({{"upstreams", upstreams}});
  url_ = std::string(absl::StripSuffix(daemon_->ReadMetricsUrl(), "/metrics"));
  simulator_->AddPage(Target(), MarkedPage(""));
  EXPECT_EQ(ListAndSearch(ConferenceRequest(kConference)), "UPSTREAM_UNRECOGNIZED_VALUE");
}

TEST_F(SecretsTest, AParticipantByItsLabel) {
  for (const int status : {200, 404, 400, 503}) {
    simulator_->Direct([status](const Request&) {
      return simulator::Respond(
          status,
          R"({"code": 20404, "message": "no xyzzy-label", "label": "xyzzy", "nickname": "xyzzy"})");
    });
    v1::GetParticipantRequest request;
    request.set_upstream("twilio");
    request.mutable_live_participant()->set_conference_sid(kConference);
    request.mutable_live_participant()->set_call_sid("xyzzy-label");
    v1::Participant participant;
    SearchStatus(Get(request, participant));
  }
}

TEST_F(SecretsTest, FiltersAndTokensOfTheRequest) {
  v1::ListParticipantsRequest request = ConferenceRequest(kConference);
  request.mutable_conference_participant_summaries()->set_label("xyzzy Ada");
  request.mutable_conference_participant_summaries()->set_events("xyzzy-event");
  for (const int status : {400, 401, 403, 404, 410, 429, 500, 503}) {
    simulator_->Direct([status](const Request&) {
      return simulator::Respond(
          status,
          R"({"code": 20001, "message": "xyzzy Ada", "more_info": "https://example.com/xyzzy"})");
    });
    EXPECT_NE(ListAndSearch(request), "") << status;
  }
  request.mutable_provider_page()->set_page(1);
  request.mutable_provider_page()->set_page_token("xyzzy-page-token");
  EXPECT_NE(ListAndSearch(request), "");
  request.set_resume_token("xyzzy-resume-token");
  EXPECT_EQ(ListAndSearch(request), "INVALID_REQUEST");
}

TEST_F(SecretsTest, RequestsThatAreRefused) {
  v1::ListParticipantsRequest request = ConferenceRequest("CFxyzzy");
  EXPECT_EQ(ListAndSearch(request), "INVALID_REQUEST");
  request = ConferenceRequest(kConference);
  request.set_upstream("xyzzy-upstream");
  EXPECT_EQ(ListAndSearch(request), "INVALID_REQUEST");
  request = ConferenceRequest(kConference);
  request.mutable_conference_participant_summaries()->set_label(std::string(10000, 'x') + kMark);
  EXPECT_EQ(ListAndSearch(request), "INVALID_REQUEST");
  request = RequestFor({simulator::Api::kSignalWire, 5});
  request.mutable_live_participants()->set_conference_sid("xyzzy");
  EXPECT_EQ(ListAndSearch(request), "INVALID_REQUEST");
}

TEST_F(SecretsTest, NextLinks) {
  for (const char* link :
       {"https://xyzzy.example/v1/Conferences", "http://127.0.0.1:1/xyzzy?PageToken=xyzzy",
        "//xyzzy.example/", "/v1/../xyzzy", "xyzzy", "https://user:xyzzy@127.0.0.1/",
        "/other/xyzzy?Label=xyzzy"}) {
    simulator_->AddPage(Target(), MarkedPage(link));
    EXPECT_NE(ListAndSearch(ConferenceRequest(kConference)), "") << link;
  }
}

TEST_F(SecretsTest, RetriesAndPageTokens) {
  const std::string second = absl::StrCat(Target(), "?PageSize=1000&Page=1&PageToken=xyzzy-token");
  simulator_->AddPage(Target(), MarkedPage(absl::StrCat(simulator_->base_url(), second)));
  simulator_->AddPage(second, MarkedPage(""));
  std::atomic<int> asked = 0;
  simulator_->Direct([&asked](const Request&) {
    const int number = ++asked;
    Direction direction;
    if (number % 2 == 1) direction.cut_after = 300;
    if (number == 4) return simulator::Respond(503, "xyzzy");
    return direction;
  });
  ListAndSearch(ConferenceRequest(kConference));
  simulator_->Direct([](const Request& request) {
    return absl::StrContains(request.target, "PageToken")
               ? simulator::Respond(400, R"({"code": 20001, "message": "xyzzy"})")
               : Direction();
  });
  ListAndSearch(ConferenceRequest(kConference));
}

TEST_F(SecretsTest, AnswersThatAreNone) {
  for (const char* body : {"xyzzy", "{\"xyzzy\": ", "{\"participants\": \"xyzzy\"}", "[\"xyzzy\"]",
                           "{\"participants\": [\"xyzzy\"], \"meta\": {}}",
                           "{\"participants\": [{\"label\": \"xyzzy\\u00\"}]}"}) {
    simulator_->Direct([body](const Request&) { return simulator::Respond(200, body); });
    EXPECT_NE(ListAndSearch(ConferenceRequest(kConference)), "") << body;
  }
  simulator_->Direct(
      [](const Request&) { return simulator::RedirectTo("https://xyzzy.example/"); });
  EXPECT_NE(ListAndSearch(ConferenceRequest(kConference)), "");
  simulator_->Direct([](const Request&) {
    Direction direction;
    direction.answer = {429,
                        {{"Retry-After", "xyzzy"},
                         {"Twilio-Request-Id", "RQ<b>"},
                         {"Twilio-Concurrent-Requests", "xyzzy"}},
                        "xyzzy"};
    return direction;
  });
  EXPECT_NE(ListAndSearch(ConferenceRequest(kConference)), "");
  simulator_->Direct([](const Request&) {
    Direction direction;
    direction.cut_before_head = true;
    return direction;
  });
  for (int i = 0; i < 3; ++i) EXPECT_NE(ListAndSearch(ConferenceRequest(kConference)), "");
}

TEST_F(SecretsTest, WrongConfigurations) {
  const nlohmann::json good = Configuration();
  std::vector<nlohmann::json> wrong(7, good);
  wrong[0]["upstreams"][0]["auth_token"] = "xyzzy\n";
  wrong[1]["upstreams"][0]["account_sid"] = "xyzzy";
  wrong[2]["upstreams"][0]["api_base_url"] = "https://user:xyzzy@example.com";
  wrong[3]["upstreams"][0]["auth_token"] = {{"file", "/nowhere"}, {"env", "xyzzy"}};
  wrong[4]["metrics_token"] = {"xyzzy"};
  wrong[5]["listen"] = "xyzzy";
  wrong[6]["log_calls"] = "xyzzy";
  for (const nlohmann::json& configuration : wrong) {
    const auto daemon = Daemon::WithConfiguration(configuration);
    EXPECT_EQ(daemon->Wait(), 78);
    Search("standard error", daemon->Errors());
  }
}

}  // namespace
}  // namespace rollcall
