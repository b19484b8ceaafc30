// --check-upstreams: which problems between service and providers it finds. Its output must contain
// neither secrets nor the provider's own messages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "tests/end_to_end/certificate.h"
#include "tests/end_to_end/connect_proxy.h"
#include "tests/end_to_end/daemon.h"
#include "tests/end_to_end/hostile_server.h"
#include "tests/end_to_end/marked_secrets.h"
#include "tests/end_to_end/nginx.h"
#include "tests/simulator/simulator.h"

namespace rollcall {
namespace {

using simulator::Answer;
using simulator::Fault;
using simulator::Request;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr int kGood = 0;
constexpr int kUnavailable = 69;

class UpstreamCheckTest : public ::testing::Test {
 protected:
  UpstreamCheckTest() {
    ForgetEnvironment();
    simulator::Options options;
    options.accounts.twilio_password = kTwilioToken;
    options.accounts.signalwire_token = kSignalWireToken;
    auto started = simulator::Simulator::Start(options);
    EXPECT_TRUE(started.ok()) << started.status();
    simulator_ = *std::move(started);
  }
  ~UpstreamCheckTest() override { ForgetEnvironment(); }

  static void ForgetEnvironment() {
    for (const char* name :
         {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"}) {
      unsetenv(name);
    }
  }

  // Upstreams "twilio" and "signalwire", with these changes to the first.
  nlohmann::json Configuration(const nlohmann::json& changes = nlohmann::json::object()) const {
    nlohmann::json configuration = SimulatorConfiguration(simulator_->base_url());
    configuration["upstreams"][0]["auth_token"] = kTwilioToken;
    configuration["upstreams"][1]["api_token"] = kSignalWireToken;
    configuration["upstreams"][0].merge_patch(changes);
    return configuration;
  }

  // The same with another base URL for Twilio, and without SignalWire.
  nlohmann::json OnlyTwilioAt(const std::string& url, nlohmann::json changes) const {
    changes["insights_base_url"] = changes["api_base_url"] = url;
    nlohmann::json configuration = Configuration(changes);
    configuration["upstreams"].erase(1);
    return configuration;
  }

  // Responds with `answer` to every request below the path, and normally to all others.
  void AnswerBelow(const std::string& path, const Answer& answer) {
    simulator_->InjectFaults([path, answer](const Request& request) {
      Fault fault;
      if (absl::StartsWith(request.target, path)) fault.answer = answer;
      return fault;
    });
  }

  static std::unique_ptr<Daemon> Start(const nlohmann::json& configuration) {
    const std::filesystem::path folder = ::testing::TempDir();
    std::string path = (folder / "upstream-check-XXXXXX").string();
    close(mkstemp(path.data()));
    std::ofstream(path) << configuration;
    auto daemon =
        std::make_unique<Daemon>(std::vector<std::string>{"--config", path, "--check-upstreams"});
    std::filesystem::remove(path);  // rollcalld reads it before it prints anything.
    return daemon;
  }

  // Runs the check, expects this exit code, and returns the lines about the upstreams.
  std::vector<std::string> Check(const nlohmann::json& configuration, int exit_code) {
    const auto daemon = Start(configuration);
    const std::string output = daemon->RestOfOutput();
    EXPECT_EQ(daemon->Wait(), exit_code) << output << daemon->Errors();
    const bool failed = absl::StrContains(output, " FAILED ");
    EXPECT_EQ(failed, exit_code == kUnavailable);
    EXPECT_EQ(absl::StrContains(daemon->Errors(), "would not serve"), failed);
    for (const std::string& text : {output, daemon->Errors()}) {
      EXPECT_THAT(text, Not(HasSubstr(kMark)));
      for (const auto& upstream : configuration["upstreams"]) {
        const bool is_twilio = upstream["provider"] == "twilio";
        const auto account = upstream[is_twilio ? "account_sid" : "project_id"].get<std::string>();
        const auto token = upstream[is_twilio ? "auth_token" : "api_token"].get<std::string>();
        EXPECT_THAT(text, Not(HasSubstr(account)));
        EXPECT_THAT(text, Not(HasSubstr(absl::Base64Escape(absl::StrCat(account, ":", token)))));
      }
    }
    return absl::StrSplit(output, '\n', absl::SkipEmpty());
  }

  std::unique_ptr<simulator::Simulator> simulator_;
};

constexpr char kOk[] = " ok \\(HTTP 404 for a list that does not exist, [0-9]+ ms\\)$";

// Matches the line that reports a failure of this API.
auto Failed(const std::string& api, const std::string& why) {
  return AllOf(HasSubstr(absl::StrCat(" ", api, " ")), ContainsRegex(" FAILED after [0-9]+ ms: "),
               HasSubstr(why));
}

TEST_F(UpstreamCheckTest, RequestsEachApiOnceAndReportsOk) {
  const std::vector<std::string> lines = Check(Configuration(), kGood);
  ASSERT_THAT(lines, SizeIs(4));
  const std::string url = absl::StrCat(" ", simulator_->base_url(), " ");
  const char* const beginnings[] = {
      "^twilio      Voice Insights    ", "^twilio      Video Insights    ",
      "^twilio      live conferences  ", "^signalwire  live conferences  "};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_THAT(lines[i], AllOf(ContainsRegex(beginnings[i]), HasSubstr(url), ContainsRegex(kOk)));
  }
  std::vector<std::string> targets;
  for (const Request& request : simulator_->requests()) targets.push_back(request.target);
  const std::string accounts = "/2010-04-01/Accounts/";
  EXPECT_THAT(targets,
              ::testing::UnorderedElementsAre(
                  "/v1/Conferences/CF00000000000000000000000000000000/Participants?PageSize=1",
                  "/v1/Video/Rooms/RM00000000000000000000000000000000/Participants?PageSize=1",
                  absl::StrCat(accounts, DefaultAccount(simulator::Api::kTwilioCore),
                               "/Conferences/CF00000000000000000000000000000000/Participants.json"
                               "?PageSize=1"),
                  absl::StrCat("/api/laml", accounts, DefaultAccount(simulator::Api::kSignalWire),
                               "/Conferences/00000000-0000-0000-0000-000000000000/Participants"
                               "?PageSize=1")));
}

TEST_F(UpstreamCheckTest, EmptyListIsOk) {
  AnswerBelow("/2010-04-01/", {200, {}, R"({"next_page_uri": null, "participants": []})"});
  EXPECT_THAT(Check(Configuration(), kGood).at(2), ContainsRegex(" ok \\(HTTP 200, [0-9]+ ms\\)$"));
}

TEST_F(UpstreamCheckTest, WrongTokenFailsOnlyItsUpstream) {
  const std::vector<std::string> lines =
      Check(Configuration({{"auth_token", "wrong-xyzzy"}}), kUnavailable);
  // Each failure has two hints.
  ASSERT_THAT(lines, SizeIs(10));
  const char* const apis[] = {"Voice Insights", "Video Insights", "live conferences"};
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_THAT(lines[3 * i], Failed(apis[i], "rejects the service's credentials"));
    EXPECT_THAT(lines[3 * i], HasSubstr("(HTTP 401, code 20003)"));
    EXPECT_EQ(lines[3 * i + 1], "  see https://www.twilio.com/docs/api/errors/20003");
    EXPECT_THAT(lines[3 * i + 2], ContainsRegex("^  the provider's id of the request: RQ"));
  }
  EXPECT_THAT(lines[9], AllOf(HasSubstr("signalwire"), ContainsRegex(kOk)));
  const auto daemon = Start(Configuration({{"auth_token", "wrong-xyzzy"}}));
  EXPECT_EQ(daemon->Wait(), kUnavailable);
  EXPECT_THAT(daemon->Errors(),
              HasSubstr("rollcalld: 3 of 4 APIs of the upstreams would not serve\n"));
}

TEST_F(UpstreamCheckTest, SuspendedAccountFails) {
  AnswerBelow("/", {403, {}, R"({"code": 20403, "message": "xyzzy is suspended"})"});
  EXPECT_THAT(Check(Configuration(), kUnavailable).at(0),
              Failed("Voice Insights", "denies the account access; it may be suspended (HTTP 403"));
}

TEST_F(UpstreamCheckTest, DisabledAdvancedFeaturesFailOneApi) {
  for (const int status : {401, 403, 404}) {
    AnswerBelow("/v1/Video/", {status, {}, R"({"code": 17000, "message": "xyzzy"})"});
    const std::vector<std::string> lines = Check(Configuration(), kUnavailable);
    EXPECT_THAT(lines.at(0), ContainsRegex(kOk));
    EXPECT_THAT(lines.at(1), Failed("Video Insights", "advanced features"));
    EXPECT_THAT(lines.at(1), HasSubstr(absl::StrCat("(HTTP ", status, ", code 17000)")));
    EXPECT_THAT(lines.back(), ContainsRegex(kOk));
  }
}

TEST_F(UpstreamCheckTest, WrongBaseUrlFails) {
  const Answer answers[] = {{404, {}, "<html>xyzzy</html>"},
                            {404, {}, R"({"message": "xyzzy: no route"})"},
                            {404, {}, ""},
                            {200, {}, "<html>xyzzy</html>"},
                            {200, {}, R"({"xyzzy": []})"},
                            {200, {}, std::string(100000, '[')}};
  for (const Answer& answer : answers) {
    AnswerBelow("/api/laml/", answer);
    EXPECT_THAT(Check(Configuration(), kUnavailable).back(),
                Failed("live conferences", "is not from the provider's API (HTTP "))
        << answer.body.substr(0, 50);
  }
  AnswerBelow("/api/laml/", {302, {{"Location", "https://xyzzy.example/"}}, ""});
  EXPECT_THAT(Check(Configuration(), kUnavailable).at(3),
              Failed("live conferences", "redirects elsewhere"));
}

TEST_F(UpstreamCheckTest, RefusedConnectionFails) {
  const std::vector<std::string> lines =
      Check(Configuration({{"insights_base_url", "http://127.0.0.1:1"}}), kUnavailable);
  ASSERT_THAT(lines, SizeIs(4));
  EXPECT_THAT(lines[0],
              Failed("Voice Insights", "connection to the provider failed: Connection refused"));
  EXPECT_THAT(lines[1], Failed("Video Insights", "Connection refused"));
  EXPECT_THAT(lines[2], ContainsRegex(kOk));
  EXPECT_THAT(lines[3], ContainsRegex(kOk));
}

TEST_F(UpstreamCheckTest, UnresolvableHostFails) {
  const std::vector<std::string> lines =
      Check(OnlyTwilioAt("https://nowhere.invalid", {}), kUnavailable);
  ASSERT_THAT(lines, SizeIs(6));
  EXPECT_THAT(lines[0], Failed("Voice Insights", "host name cannot be resolved"));
  EXPECT_EQ(lines[1], "  proxy: none, neither configured nor by the environment");
}

TEST_F(UpstreamCheckTest, SilentProviderFails) {
  simulator_->InjectFaults([](const Request&) {
    Fault fault;
    fault.hold_before_head = true;
    return fault;
  });
  const std::vector<std::string> lines =
      Check(OnlyTwilioAt(simulator_->base_url(), {{"idle_timeout_seconds", 0.2}}), kUnavailable);
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_THAT(lines[0], Failed("Voice Insights", "the provider sent nothing for "));
}

TEST_F(UpstreamCheckTest, EndlessResponseFails) {
  HostileServer server([](const HostileServer::Peer& peer) {
    if (!peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")) return;
    while (peer.Send(" ")) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  });
  const std::vector<std::string> lines = Check(
      OnlyTwilioAt(server.url(), {{"connect_timeout_seconds", 0.5}, {"idle_timeout_seconds", 1}}),
      kUnavailable);
  ASSERT_THAT(lines, SizeIs(3));
  // The second text if this machine is too busy to send anything for a second.
  EXPECT_THAT(lines[0], ContainsRegex("not complete in time|sent nothing for "));
}

TEST_F(UpstreamCheckTest, SignalEndsTheCheck) {
  simulator_->InjectFaults([](const Request&) {
    Fault fault;
    fault.hold_before_head = true;
    return fault;
  });
  for (const int number : {SIGINT, SIGTERM}) {
    const auto daemon = Start(Configuration());
    ASSERT_TRUE(simulator_->WaitUntilHolding(4));
    daemon->Signal(number);
    EXPECT_EQ(daemon->Wait(), 128 + number);
    simulator_->Release();
  }
}

TEST_F(UpstreamCheckTest, WrongClockIsAWarning) {
  const std::string missing = R"({"code": 20404, "message": "xyzzy"})";
  const auto date_from_now = [](absl::Duration offset) {
    return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", absl::Now() + offset, absl::UTCTimeZone());
  };
  const std::string consequences = " the provider's; certificates are judged by it";
  AnswerBelow("/v1/Video/", {404, {{"Date", date_from_now(absl::Hours(-24))}}, missing});
  std::vector<std::string> lines = Check(Configuration(), kGood);
  ASSERT_THAT(lines, SizeIs(5));
  EXPECT_THAT(lines[1], ContainsRegex(kOk));
  EXPECT_THAT(lines[2], ContainsRegex("^  warning: this machine's clock is 24h[0-9ms]* ahead of" +
                                      consequences + "$"));

  AnswerBelow("/v1/Video/", {404, {{"Date", date_from_now(absl::Hours(24))}}, missing});
  lines = Check(Configuration(), kGood);
  ASSERT_THAT(lines, SizeIs(5));
  EXPECT_THAT(lines[2],
              ContainsRegex("^  warning: this machine's clock is 2(4h|3h[0-9ms]+) behind" +
                            consequences + "$"));

  for (const std::string& date : {std::string("xyzzy"), date_from_now(absl::ZeroDuration())}) {
    AnswerBelow("/v1/Video/", {404, {{"Date", date}}, missing});
    EXPECT_THAT(Check(Configuration(), kGood), SizeIs(4)) << date;
  }
}

TEST_F(UpstreamCheckTest, UntrustedCertificatesFail) {
  const Certificate authority = Certificate::Authority();
  constexpr long kDay = 86400;
  const std::string clock = "^  or this machine's clock is wrong, which says 2[0-9-]+T[0-9:]+Z$";
  const struct {
    Certificate certificate;
    const char* what = nullptr;  // nullptr if the certificate is valid
    bool may_be_clock = false;
  } cases[] = {
      {authority.Sign("localhost"), nullptr, false},
      {Certificate::Authority("Another").Sign("localhost"), "unable to get local issuer", false},
      {authority.Sign("localhost.example"), "it is not for this host", false},
      {authority.Sign("localhost", -kDay, -3600), "certificate has expired", true},
      {authority.Sign("localhost", 3600, kDay), "certificate is not yet valid", true},
  };
  for (const bool http2 : {false, true}) {
    for (const auto& [certificate, what, may_be_clock] : cases) {
      const Nginx nginx(simulator_->base_url(), certificate, http2);
      const std::string ca_file = nginx.KeepFile("authority.pem", authority.certificate());
      const std::vector<std::string> lines =
          Check(OnlyTwilioAt(nginx.url(), {{"http2", http2}, {"ca_file", ca_file}}),
                what == nullptr ? kGood : kUnavailable);
      if (what == nullptr) {
        ASSERT_THAT(lines, SizeIs(3));
        EXPECT_THAT(lines[2], ContainsRegex(kOk));
        continue;
      }
      ASSERT_THAT(lines, SizeIs(may_be_clock ? 12 : 9)) << what;
      EXPECT_THAT(lines[0], Failed("Voice Insights", what));
      EXPECT_EQ(lines[1], absl::StrCat("  ca_file: ", ca_file));
      if (may_be_clock) {
        EXPECT_THAT(lines[2], ContainsRegex(clock));
      }
      EXPECT_EQ(lines[may_be_clock ? 3 : 2],
                "  proxy: none, neither configured nor by the environment");
    }
  }
  const Nginx nginx(simulator_->base_url(), authority.Sign("localhost"), false);
  const std::vector<std::string> lines = Check(OnlyTwilioAt(nginx.url(), {}), kUnavailable);
  EXPECT_EQ(lines.at(1), "  ca_file: the system's");
}

TEST_F(UpstreamCheckTest, ReportsTheProxy) {
  const Certificate authority = Certificate::Authority();
  const Nginx nginx(simulator_->base_url(), authority.Sign("provider.invalid"), false);
  const std::string ca_file = nginx.KeepFile("authority.pem", authority.certificate());
  const std::string nginx_url = nginx.url();
  const std::string url =
      absl::StrCat("https://provider.invalid", nginx_url.substr(nginx_url.rfind(':')));
  ConnectProxy proxy;
  const std::string host = proxy.url().substr(proxy.url().rfind('/') + 1);

  // The hint about the proxy if the first API cannot be reached.
  const auto hint = [&](nlohmann::json changes) {
    changes["ca_file"] = ca_file;
    return Check(OnlyTwilioAt(url, std::move(changes)), kUnavailable).at(1);
  };
  EXPECT_THAT(Check(OnlyTwilioAt(url, {{"proxy", proxy.url()}, {"ca_file", ca_file}}), kGood),
              SizeIs(3));
  proxy.Refuse("407 Proxy Authentication Required");
  const std::vector<std::string> lines =
      Check(OnlyTwilioAt(url, {{"proxy", proxy.url()}, {"ca_file", ca_file}}), kUnavailable);
  ASSERT_THAT(lines, SizeIs(6));
  EXPECT_THAT(lines[0], Failed("Voice Insights",
                               "refused to connect to the provider (HTTP 407); the service's "
                               "operator must set credentials"));
  EXPECT_EQ(lines[1], absl::StrCat("  proxy: ", proxy.url()));
  EXPECT_EQ(hint({{"proxy", "none"}}), "  proxy: none, as configured");

  setenv("ALL_PROXY", absl::StrCat("http://user-xyzzy:pass-xyzzy@", host, "/").c_str(), 1);
  EXPECT_EQ(hint({}), absl::StrCat("  proxy: ", host, ", by ALL_PROXY of the environment"));
  setenv("HTTPS_PROXY", host.c_str(), 1);
  EXPECT_EQ(hint({}), absl::StrCat("  proxy: ", host, ", by HTTPS_PROXY of the environment"));
  setenv("NO_PROXY", "elsewhere.invalid", 1);
  EXPECT_EQ(hint({}), absl::StrCat("  proxy: ", host,
                                   ", by HTTPS_PROXY of the environment, unless NO_PROXY names the "
                                   "host"));
  setenv("https_proxy", "http://user-xyzzy:pass-xyzzy", 1);
  EXPECT_EQ(hint({}),
            "  proxy: not a host and port, by https_proxy of the environment, "
            "unless NO_PROXY names the host");
}

TEST_F(UpstreamCheckTest, WrongConfigurationSendsNoRequest) {
  nlohmann::json configuration = Configuration();
  configuration["upstreams"][0]["page_size"] = 5;
  const auto daemon = Start(configuration);
  EXPECT_EQ(daemon->Wait(), 78);
  EXPECT_THAT(daemon->Errors(), HasSubstr("page_size"));
  EXPECT_THAT(simulator_->requests(), IsEmpty());
}

}  // namespace
}  // namespace rollcall
