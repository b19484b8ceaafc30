// Nothing leaks. Marked credentials, callers' tokens and personal data go through every path of a
// call, and through every file that can be reloaded. Then all output is searched for the marks and
// for the service's private key: standard output and error, metrics, the status page, and callers'
// errors.
#include <gmock/gmock.h>
#include <httplib.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tests/end_to_end/access.h"
#include "tests/end_to_end/marked_secrets.h"

namespace rollcall {
namespace {

using simulator::Fault;
using simulator::Request;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kMetricsToken[] = "metrics-xyzzy-token";
constexpr char kResumeKey[] = "resume-xyzzy-key of 32 bytes or more";
constexpr char kCallerToken[] = "caller-xyzzy-token";
constexpr char kCallerTokenSha256[] =
    "b03577d376e17c7fc2c21bab322d5f635087c1b19e40dbbcfdae34df201c6202";

// The lines of a PEM key that are unique to it.
std::vector<std::string> LinesOfKey(const std::string& pem) {
  std::vector<std::string> lines;
  for (const absl::string_view line : absl::StrSplit(pem, '\n', absl::SkipEmpty())) {
    if (!absl::StartsWith(line, "-----")) lines.emplace_back(line);
  }
  return lines;
}

class SecretsTest : public CallerAccessTest {
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
    configuration["resume_key"] = kResumeKey;
    configuration["retry"] = {{"max_attempts", 3}, {"initial_backoff_seconds", 0.001}};
    configuration["circuit_breaker"] = {{"failures", 4}, {"open_seconds", 0.01}};
    return configuration;
  }

  void SetUp() override {
    EndToEndTest::SetUp();
    ReadUrl();
  }

  // Restarts rollcalld with these changes.
  void Start(const nlohmann::json& changes) {
    StartDaemon(changes);
    ReadUrl();
  }

  void ReadUrl() { url_ = std::string(absl::StripSuffix(daemon_->ReadMetricsUrl(), "/metrics")); }

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

  void Search(const std::string& where, const std::string& text) const {
    const std::string lower = absl::AsciiStrToLower(text);
    EXPECT_FALSE(absl::StrContains(lower, kMark)) << where << ":\n" << text;
    for (const char* secret : {kTwilioToken, kSignalWireToken}) {
      // As HTTP Basic sends it after any user name: the part of the Base64 text that is the same
      // for each of the three alignments.
      for (const char* before : {"", ":", "::"}) {
        const std::string encoded = absl::Base64Escape(absl::StrCat(before, secret));
        EXPECT_FALSE(absl::StrContains(text, encoded.substr(4, 12))) << where << ":\n" << text;
      }
    }
    for (const std::string& secret : unmarked_) {
      EXPECT_FALSE(absl::StrContains(text, secret)) << where << ":\n" << text;
    }
  }

  // Adds a text to search for.
  void Hide(const std::string& secret) { unmarked_.push_back(secret); }
  void HideKey(const std::string& pem) {
    ASSERT_THAT(LinesOfKey(pem), Not(IsEmpty()));
    for (const std::string& line : LinesOfKey(pem)) Hide(line);
  }

  // Writes an invalid file, and waits until rollcalld has refused it.
  void WriteRefused(const std::string& name, const std::string& text) {
    WriteUntil("reload_refused", name, text);
  }
  // Writes a valid file, and waits until rollcalld uses it.
  void WriteTaken(const std::string& name, const std::string& text) {
    WriteUntil("reloaded", name, text);
  }

  // Waits for one more log line with this event.
  void WriteUntil(const char* event, const std::string& name, const std::string& text) {
    const auto count = [&] {
      const std::vector<std::string> parts =
          absl::StrSplit(daemon_->Errors(), absl::StrCat(R"("event":")", event, "\""));
      return parts.size();
    };
    const size_t before = count();
    Write(name, text);
    while (count() == before) {
      ASSERT_TRUE(daemon_->IsRunning()) << daemon_->Errors();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  void ExpectRefusedAtStart(const nlohmann::json& changes) const {
    nlohmann::json configuration = Configuration();
    configuration.merge_patch(changes);
    const auto daemon = Daemon::WithConfiguration(configuration);
    EXPECT_EQ(daemon->Wait(), 78);
    Search("standard error", daemon->Errors());
  }

  std::string Page(const std::string& path) {
    const auto answer = httplib::Client(url_).Get(
        path, {{"Authorization", absl::StrCat("Bearer ", kMetricsToken)}});
    EXPECT_TRUE(answer && answer->status == 200) << path;
    return answer ? answer->body : "";
  }

  // Lists, and searches everything that the caller gets besides the records. Returns the reason.
  std::string ListAndSearch(const v1::ListParticipantsRequest& request) {
    const Listing listing = List(request);
    SearchStatus(listing.status);
    for (const auto& [key, value] : listing.trailers) Search(key, value);
    return Reason(listing.status);
  }

  void SearchStatus(const grpc::Status& status) const {
    Search("message", status.error_message());
    Search("details", status.error_details());
  }

  // A page of records in which every value is marked.
  static std::string MarkedPage(const std::string& next) {
    return absl::StrCat(R"({"meta": {"next_page_url": )",
                        next.empty() ? "null" : "\"" + next + "\"",
                        R"(}, "participants": [
      {"participant_sid": "CP00000000000000000000000000000001", "label": "xyzzy-label",
       "from": "+1555xyzzy", "to": "+1666xyzzy"},
      {"label": "xyzzy", "label": "xyzzy again", "call_type": "xyzzy-type", "nickname": "xyzzy",
       "duration_seconds": "xyzzy", "metrics": {"inbound": {"mos": "xyzzy"}}}]})");
  }

  // A policy with one caller that may do everything, with these changes.
  static nlohmann::json PolicyWith(const nlohmann::json& changes = nlohmann::json::object()) {
    nlohmann::json caller = {{"name", "support"},
                             {"token_sha256", {kCallerTokenSha256}},
                             {"upstreams", "all"},
                             {"lists", "all"}};
    caller.merge_patch(changes);
    return {{"callers", nlohmann::json::array({caller})}};
  }

  // Calls with valid, unknown and missing tokens, and with tokens in odd places. `is_open` means
  // that no token is needed.
  void CallWithTokens(bool is_open) {
    const std::string basic = absl::Base64Escape("caller:xyzzy");
    Hide(basic);
    Hide(kCallerTokenSha256);
    const auto may_call = [this](const std::vector<std::pair<std::string, std::string>>& metadata) {
      grpc::ClientContext list_context;
      grpc::ClientContext get_context;
      for (const auto& [key, value] : metadata) {
        list_context.AddMetadata(key, value);
        get_context.AddMetadata(key, value);
      }
      const Listing listing = List(list_context, ConferenceRequest(3));
      SearchStatus(listing.status);
      for (const auto& [key, value] : listing.trailers) Search(key, value);
      v1::GetParticipantResponse response;
      SearchStatus(stub().GetParticipant(&get_context, v1::GetParticipantRequest(), &response));
      return listing.status.ok();
    };
    const std::pair<std::string, std::string> good("authorization",
                                                   absl::StrCat("Bearer ", kCallerToken));
    EXPECT_TRUE(may_call({good}));
    for (const std::string& value :
         {std::string("Bearer another-xyzzy-token"), std::string("xyzzy"), "Basic " + basic}) {
      EXPECT_EQ(may_call({{"authorization", value}}), is_open) << value;
    }
    EXPECT_EQ(may_call({good, good}), is_open);
    EXPECT_TRUE(may_call({good, {"traceparent", "Bearer xyzzy"}}));
    EXPECT_TRUE(may_call({good, {"x-request-id", "Bearer xyzzy"}}));
    EXPECT_FALSE(may_call({good, {"x-much", std::string(20000, 'a')}}));
    EXPECT_FALSE(may_call({{"authorization", std::string(20000, 'a') + kMark}}));
  }

  static std::string Target() {
    return absl::StrCat("/v1/Conferences/", kConference, "/Participants");
  }

  std::string url_;
  std::vector<std::string> unmarked_;
};

TEST_F(SecretsTest, RecordsDoNotLeak) {
  simulator_->AddPage(Target(), MarkedPage(""));
  const Listing listing = List(ConferenceRequest(kConference));
  ASSERT_TRUE(listing.status.ok()) << listing.status.error_message();
  ASSERT_EQ(listing.participants.size(), 2u);
  // The caller does receive the values.
  EXPECT_EQ(listing.participants[0].conference_participant_summary().label(), "xyzzy-label");
  for (const auto& [key, value] : listing.trailers) Search(key, value);
  EXPECT_THAT(Page("/metrics"), HasSubstr("nickname"));
}

TEST_F(SecretsTest, RecordsOfAStrictUpstreamDoNotLeak) {
  nlohmann::json upstreams = Configuration()["upstreams"];
  upstreams[0]["strict"] = true;
  Start({{"upstreams", upstreams}});
  simulator_->AddPage(Target(), MarkedPage(""));
  EXPECT_EQ(ListAndSearch(ConferenceRequest(kConference)), "UPSTREAM_UNRECOGNIZED_VALUE");
}

TEST_F(SecretsTest, LookupsByLabelDoNotLeak) {
  for (const int status : {200, 404, 400, 503}) {
    simulator_->InjectFaults([status](const Request&) {
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

TEST_F(SecretsTest, FiltersAndResumeTokensDoNotLeak) {
  v1::ListParticipantsRequest request = ConferenceRequest(kConference);
  request.mutable_conference_participant_summaries()->set_label("xyzzy Ada");
  request.mutable_conference_participant_summaries()->set_events("xyzzy-event");
  for (const int status : {400, 401, 403, 404, 410, 429, 500, 503}) {
    simulator_->InjectFaults([status](const Request&) {
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

TEST_F(SecretsTest, RefusedRequestsDoNotLeak) {
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

TEST_F(SecretsTest, NextLinksDoNotLeak) {
  for (const char* link :
       {"https://xyzzy.example/v1/Conferences", "http://127.0.0.1:1/xyzzy?PageToken=xyzzy",
        "//xyzzy.example/", "/v1/../xyzzy", "xyzzy", "https://user:xyzzy@127.0.0.1/",
        "/other/xyzzy?Label=xyzzy"}) {
    simulator_->AddPage(Target(), MarkedPage(link));
    EXPECT_NE(ListAndSearch(ConferenceRequest(kConference)), "") << link;
  }
}

TEST_F(SecretsTest, RetriesAndPageTokensDoNotLeak) {
  const std::string second = absl::StrCat(Target(), "?PageSize=1000&Page=1&PageToken=xyzzy-token");
  simulator_->AddPage(Target(), MarkedPage(absl::StrCat(simulator_->base_url(), second)));
  simulator_->AddPage(second, MarkedPage(""));
  std::atomic<int> asked = 0;
  simulator_->InjectFaults([&asked](const Request&) {
    const int number = ++asked;
    Fault fault;
    if (number % 2 == 1) fault.cut_after = 300;
    if (number == 4) return simulator::Respond(503, "xyzzy");
    return fault;
  });
  ListAndSearch(ConferenceRequest(kConference));
  simulator_->InjectFaults([](const Request& request) {
    return absl::StrContains(request.target, "PageToken")
               ? simulator::Respond(400, R"({"code": 20001, "message": "xyzzy"})")
               : Fault();
  });
  ListAndSearch(ConferenceRequest(kConference));
}

TEST_F(SecretsTest, MalformedResponsesDoNotLeak) {
  for (const char* body : {"xyzzy", "{\"xyzzy\": ", "{\"participants\": \"xyzzy\"}", "[\"xyzzy\"]",
                           "{\"participants\": [\"xyzzy\"], \"meta\": {}}",
                           "{\"participants\": [{\"label\": \"xyzzy\\u00\"}]}"}) {
    simulator_->InjectFaults([body](const Request&) { return simulator::Respond(200, body); });
    EXPECT_NE(ListAndSearch(ConferenceRequest(kConference)), "") << body;
  }
  simulator_->InjectFaults(
      [](const Request&) { return simulator::RedirectTo("https://xyzzy.example/"); });
  EXPECT_NE(ListAndSearch(ConferenceRequest(kConference)), "");
  simulator_->InjectFaults([](const Request&) {
    Fault fault;
    fault.answer = {429,
                    {{"Retry-After", "xyzzy"},
                     {"Twilio-Request-Id", "RQ<b>"},
                     {"Twilio-Concurrent-Requests", "xyzzy"}},
                    "xyzzy"};
    return fault;
  });
  EXPECT_NE(ListAndSearch(ConferenceRequest(kConference)), "");
  simulator_->InjectFaults([](const Request&) {
    Fault fault;
    fault.cut_before_head = true;
    return fault;
  });
  for (int i = 0; i < 3; ++i) EXPECT_NE(ListAndSearch(ConferenceRequest(kConference)), "");
}

TEST_F(SecretsTest, WrongConfigurationsDoNotLeak) {
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
    ExpectRefusedAtStart(configuration);
  }
}

TEST_F(SecretsTest, CallerTokensDoNotLeak) {
  Write("policy.json", PolicyWith().dump());
  Start({{"policy_file", PathOf("policy.json")}});
  CallWithTokens(false);
}

// Without a policy, rollcalld ignores callers' tokens.
TEST_F(SecretsTest, IgnoredCallerTokensDoNotLeak) { CallWithTokens(true); }

TEST_F(SecretsTest, PrivateKeyDoesNotLeak) {
  const Certificate served = RenewCertificate();
  HideKey(served.key());
  HideKey(authority_.key());
  Start({{"tls", Tls()}});
  EXPECT_TRUE(ListOver(*Connect(), ConferenceRequest(3)).status.ok());
  SearchStatus(ListOver(*ConnectWithoutTls(), ConferenceRequest(3)).status);
  const std::string key = served.key();
  const std::string first_line = key.substr(0, key.find('\n') + 1);
  for (const std::string& wrong :
       {authority_.key(), key.substr(0, key.size() / 2), std::string(kMark),
        first_line + "xyzzy\n-----END PRIVATE KEY-----\n", key.substr(first_line.size())}) {
    WriteRefused("server.key", wrong);
    ExpectRefusedAtStart({{"tls", Tls()}});
    WriteTaken("server.key", key);
  }
  // The key in place of the certificate.
  WriteRefused("server.pem", key);
  ExpectRefusedAtStart({{"tls", Tls()}});
  WriteTaken("server.pem", served.certificate());
  HideKey(RenewCertificate().key());
}

TEST_F(SecretsTest, RefusedReloadsDoNotLeak) {
  const std::map<std::string, std::string> good = {
      {"policy.json", PolicyWith().dump()}, {"password", kTwilioToken}, {"resume-key", kResumeKey}};
  for (const auto& [name, text] : good) Write(name, text);
  Hide(kCallerTokenSha256);
  nlohmann::json changes = {{"policy_file", PathOf("policy.json")},
                            {"resume_key", {{"file", PathOf("resume-key")}}},
                            {"upstreams", Configuration()["upstreams"]}};
  changes["upstreams"][0]["auth_token"] = {{"file", PathOf("password")}};
  Start(changes);
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"policy.json", "xyzzy"},
      {"policy.json", R"({"callers": [{"name": "support", "name": "xyzzy"}]})"},
      {"policy.json", PolicyWith({{"upstreams", {"xyzzy"}}}).dump()},
      {"password", "xyzzy\nxyzzy"},
      {"password", std::string(100000, 'a') + kMark},
      {"resume-key", "xyzzy"},
      {"resume-key", std::string(kResumeKey) + "\x01"},
  };
  for (const auto& [name, text] : wrong) {
    SCOPED_TRACE(absl::StrCat(name, ": ", text.substr(0, 200)));
    WriteRefused(name, text);
    ExpectRefusedAtStart(changes);
    WriteTaken(name, good.at(name));
  }
}

TEST_F(SecretsTest, WrongPoliciesDoNotLeak) {
  Hide(kCallerTokenSha256);
  for (const char* key :
       {"name", "uri_sans", "dns_sans", "token_sha256", "upstreams", "lists", "pii", "max_calls"}) {
    for (const nlohmann::json& value :
         {nlohmann::json("xyzzy <value>"), nlohmann::json::array({"xyzzy <value>"})}) {
      SCOPED_TRACE(absl::StrCat(key, ": ", value.dump()));
      Write("policy.json", PolicyWith({{key, value}}).dump());
      ExpectRefusedAtStart({{"policy_file", PathOf("policy.json")}});
    }
  }
}

}  // namespace
}  // namespace rollcall
