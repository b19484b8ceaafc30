#include "tests/simulator/simulator.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/simulator/seeds.h"

namespace rollcall::simulator {
namespace {

using ::nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class SimulatorTest : public ::testing::Test {
 protected:
  SimulatorTest() { StartSimulator({}); }

  void StartSimulator(Options options) {
    auto started = Simulator::Start(std::move(options));
    ASSERT_TRUE(started.ok()) << started.status();
    simulator_ = *std::move(started);
  }

  // A client with the API's credentials.
  std::unique_ptr<httplib::Client> Client(Api api = Api::kVoiceInsights) const {
    auto client = std::make_unique<httplib::Client>(simulator_->base_url());
    client->set_basic_auth(DefaultAccount(api), "simulator");
    client->set_keep_alive(true);
    client->set_read_timeout(60);
    // Targets such as "%7B" must be sent unchanged.
    client->set_url_encode(false);
    return client;
  }

  httplib::Response Get(Api api, const std::string& target) const {
    auto result = Client(api)->Get(target);
    EXPECT_TRUE(result) << target << ": " << httplib::to_string(result.error());
    return result ? *result : httplib::Response();
  }

  // Path and query of the link to the next page; empty on the last page.
  std::string NextTarget(Api api, const json& page) const {
    const bool insights = api == Api::kVoiceInsights || api == Api::kVideoInsights;
    const json& link = insights ? page.at("meta").at("next_page_url") : page.at("next_page_uri");
    if (link.is_null()) return "";
    std::string text = link;
    if (insights) {
      EXPECT_THAT(text, StartsWith(simulator_->base_url() + "/"));
      return text.substr(simulator_->base_url().size());
    }
    EXPECT_THAT(text, StartsWith(api == Api::kSignalWire ? "/api/laml/2010" : "/2010"));
    return text;
  }

  std::unique_ptr<Simulator> simulator_;
};

std::string SeedPath(absl::string_view conference) {
  return absl::StrCat("/v1/Conferences/", conference, "/Participants");
}

TEST_F(SimulatorTest, ServesPublishedExamplesWordForWord) {
  const std::string voice = SeedPath(kSeedConferenceSid);
  EXPECT_EQ(Get(Api::kVoiceInsights, voice).body, kVoiceInsightsSeed);
  EXPECT_EQ(Get(Api::kVoiceInsights, voice + "?PageSize=25").body, kVoiceInsightsSeed);
  EXPECT_EQ(Get(Api::kVoiceInsights, voice + "?Label=client").body, kVoiceInsightsLabelClientSeed);
  const std::string rooms = "/v1/Video/Rooms/";
  EXPECT_EQ(Get(Api::kVideoInsights, absl::StrCat(rooms, kSeedRoomSid, "/Participants")).body,
            kVideoInsightsSeed);
  EXPECT_EQ(Get(Api::kVideoInsights, absl::StrCat(rooms, kSeedEmptyRoomSid, "/Participants")).body,
            kVideoInsightsEmptySeed);
  const std::string signalwire =
      absl::StrCat("/api/laml/2010-04-01/Accounts/", DefaultAccount(Api::kSignalWire),
                   "/Conferences/", kSeedSignalWireConferenceSid, "/Participants");
  EXPECT_EQ(Get(Api::kSignalWire, signalwire).body, kSignalWireSeed);
  EXPECT_EQ(Get(Api::kSignalWire, signalwire + ".json").body, kSignalWireSeed);
}

TEST_F(SimulatorTest, FiltersFetchesAndPagesThroughExamples) {
  const std::string voice = SeedPath(kSeedConferenceSid);
  const json muted = json::parse(Get(Api::kVoiceInsights, voice + "?Events=mute").body);
  ASSERT_EQ(muted["participants"].size(), 1u);
  EXPECT_EQ(muted["participants"][0],
            json::parse(std::string(kVoiceInsightsSeed))["participants"][1]);

  const std::string one =
      Get(Api::kVoiceInsights, voice + "/CPaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").body;
  EXPECT_THAT(std::string(kVoiceInsightsSeed), HasSubstr(one));
  EXPECT_EQ(json::parse(one)["call_sid"], "CAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");

  const std::string next = NextTarget(Api::kSignalWire, json::parse(std::string(kSignalWireSeed)));
  const json second = json::parse(Get(Api::kSignalWire, next).body);
  EXPECT_TRUE(second["participants"].empty());
  EXPECT_TRUE(second["next_page_uri"].is_null());
}

class GeneratedListTest : public SimulatorTest, public ::testing::WithParamInterface<Api> {};

INSTANTIATE_TEST_SUITE_P(Apis, GeneratedListTest,
                         ::testing::Values(Api::kVoiceInsights, Api::kVideoInsights,
                                           Api::kSignalWire, Api::kTwilioCore));

TEST_P(GeneratedListTest, PagesContainEveryParticipantOnceInOrder) {
  const List list(GetParam(), 130);
  std::string target = ListPath(list);
  int64_t index = 0;
  for (int page = 0; !target.empty(); ++page) {
    const httplib::Response response = Get(GetParam(), target);
    ASSERT_EQ(response.status, 200) << response.body;
    size_t at = 0;
    const json parsed = json::parse(response.body);
    for (size_t i = 0; i < parsed["participants"].size(); ++i, ++index) {
      at = response.body.find(ParticipantJson(list, index), at);
      ASSERT_NE(at, std::string::npos) << index;
    }
    const bool insights = GetParam() == Api::kVoiceInsights || GetParam() == Api::kVideoInsights;
    const json& envelope = insights ? parsed["meta"] : parsed;
    EXPECT_EQ(envelope["page"], page);
    EXPECT_EQ(envelope["page_size"], 50);
    // Only Twilio's core API writes the envelope after the records.
    EXPECT_EQ(response.body.find("\"page_size\"") > at, GetParam() == Api::kTwilioCore);
    target = NextTarget(GetParam(), parsed);
  }
  EXPECT_EQ(index, 130);
}

TEST_P(GeneratedListTest, FetchesOneParticipant) {
  const List list(GetParam(), 5000);
  const std::string sid = ParticipantSid(list, 4321);
  const bool core = GetParam() == Api::kTwilioCore;
  const std::string path = absl::StrCat(absl::StripSuffix(ListPath(list), ".json"), "/");
  EXPECT_EQ(Get(GetParam(), path + sid + (core ? ".json" : "")).body, ParticipantJson(list, 4321));
  EXPECT_EQ(Get(GetParam(), path + ParticipantSid(List(GetParam(), 1), 0)).status, 404);
}

TEST_P(GeneratedListTest, RefusesInvalidRequestsLikeTheProvider) {
  const std::string path = ListPath(List(GetParam(), 130));
  const int bad_query = GetParam() == Api::kSignalWire ? 54453 : 20001;
  for (const char* query : {"?PageSize=0", "?PageSize=1001", "?PageSize=x", "?Page=1", "?Page=-1",
                            "?PageToken=PA1", "?Page=1&PageToken=PA0000000000000000000000000000"}) {
    const httplib::Response response = Get(GetParam(), path + query);
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_EQ(json::parse(response.body)["code"], bad_query) << query;
  }

  auto stranger = Client(GetParam());
  stranger->set_basic_auth(DefaultAccount(GetParam()), "wrong");
  const auto refused = stranger->Get(path);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 401);
  EXPECT_THAT(refused->body, HasSubstr("20003"));
  EXPECT_THAT(refused->get_header_value("Twilio-Request-Id"), StartsWith("RQ"));
}

TEST_F(SimulatorTest, LinksCarryFiltersAndTokensAreBoundToThem) {
  const List list(Api::kVoiceInsights, 12'000);
  const std::string label = "Zo%C3%AB%20%E2%80%93%20B%C3%BCro%2026";
  std::string target = ListPath(list) + "?Label=" + label + "&PageSize=1";
  std::vector<std::string> seen;
  while (!target.empty()) {
    const json page = json::parse(Get(Api::kVoiceInsights, target).body);
    for (const json& participant : page["participants"]) {
      seen.push_back(participant["participant_sid"]);
    }
    target = NextTarget(Api::kVoiceInsights, page);
    if (target.empty()) break;
    EXPECT_THAT(target, HasSubstr("Label=" + label + "&PageSize=1&Page="));
    std::string without_filter = target;
    without_filter.replace(target.find("Label="), 6 + label.size() + 1, "");
    EXPECT_EQ(Get(Api::kVoiceInsights, without_filter).status, 400);
  }
  std::vector<std::string> expected;
  for (int64_t i = 0; i < list.size; ++i) {
    if (ParticipantLabel(list, i) == "Zoë – Büro 26") {
      expected.push_back(ParticipantSid(list, i));
    }
  }
  EXPECT_GT(expected.size(), 1u);
  EXPECT_EQ(seen, expected);
}

TEST_F(SimulatorTest, LiveListsFilterByState) {
  for (const Api api : {Api::kSignalWire, Api::kTwilioCore}) {
    const json page = json::parse(
        Get(api, ListPath(List(api, 400)) + "?Muted=true&Hold=false&PageSize=1000").body);
    EXPECT_GT(page["participants"].size(), 0u);
    EXPECT_LT(page["participants"].size(), 400u);
    for (const json& participant : page["participants"]) {
      EXPECT_EQ(participant["muted"], true);
      EXPECT_EQ(participant["hold"], false);
    }
  }
  EXPECT_EQ(Get(Api::kTwilioCore, ListPath(List(Api::kTwilioCore, 4)) + "?Coaching=maybe").status,
            400);
}

TEST_F(SimulatorTest, UnknownAccountsListsAndPathsReturn404) {
  const std::string core = ListPath(List(Api::kTwilioCore, 5, "AC" + std::string(32, 'b')));
  EXPECT_EQ(json::parse(Get(Api::kTwilioCore, core).body)["code"], 20404);
  const std::string unknown = SeedPath("CFcccccccccccccccccccccccccccccccc");
  EXPECT_EQ(json::parse(Get(Api::kVoiceInsights, unknown).body)["code"], 20404);
  for (const char* path : {"/", "/v1", "/v1/Conferences", "/v1/Video/Rooms", "/2010-04-01/Accounts",
                           "/2010-04-01/Accounts/", "/api/laml/2010-04-01/Accounts",
                           "/v1/Conferences//Participants", "/v1/Conferences/%/Participants/%4"}) {
    EXPECT_EQ(Get(Api::kVoiceInsights, path).status / 100, 4) << path;
  }
  const httplib::Response page = Get(Api::kSignalWire, "/api/laml/nothing");
  EXPECT_EQ(page.status, 404);
  EXPECT_THAT(page.get_header_value("Content-Type"), StartsWith("text/html"));
}

TEST_F(SimulatorTest, CoreReturnsXmlWithoutSuffixAndFindsByLabel) {
  const List list(Api::kTwilioCore, 200);
  const std::string path(absl::StripSuffix(ListPath(list), ".json"));
  const httplib::Response xml = Get(Api::kTwilioCore, path);
  EXPECT_THAT(xml.body, StartsWith("<?xml"));
  EXPECT_THAT(xml.get_header_value("Content-Type"), StartsWith("application/xml"));
  EXPECT_EQ(json::parse(Get(Api::kTwilioCore, path + "/client.json").body)["label"], "client");
  const std::string malformed =
      absl::StrCat("/2010-04-01/Accounts/", DefaultAccount(Api::kTwilioCore),
                   "/Conferences/CF1/Participants.json");
  EXPECT_EQ(Get(Api::kTwilioCore, malformed).status, 405);
}

TEST_F(SimulatorTest, InjectsFaultsAndRecordsRequests) {
  simulator_->InjectFaults([](const Request& request) {
    if (request.target == "/busy") {
      Fault busy = Respond(429, R"({"code":20429})");
      busy.answer->headers.emplace_back("Retry-After", "1");
      return busy;
    }
    return request.target == "/moved" ? RedirectTo("http://elsewhere.test/") : Fault();
  });
  simulator_->AddPage("/hand-made", R"({"participants":[]})");
  EXPECT_EQ(Get(Api::kVoiceInsights, "/busy").get_header_value("Retry-After"), "1");
  EXPECT_EQ(Get(Api::kVoiceInsights, "/moved").get_header_value("Location"),
            "http://elsewhere.test/");
  EXPECT_EQ(Get(Api::kVoiceInsights, "/hand-made?PageSize=1000").body, R"({"participants":[]})");

  ASSERT_TRUE(simulator_->WaitForRequests(3));
  const std::vector<Request> requests = simulator_->requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[2].method, "GET");
  EXPECT_EQ(requests[2].target, "/hand-made?PageSize=1000");
  EXPECT_THAT(requests[2].Header("authorization"), StartsWith("Basic "));
  EXPECT_EQ(requests[2].Header("REMOTE_ADDR"), "");
}

TEST_F(SimulatorTest, SendsEditedBodiesInPieces) {
  const List list(Api::kVoiceInsights, 3);
  const std::string whole = Get(Api::kVoiceInsights, ListPath(list)).body;
  for (const bool chunked : {false, true}) {
    simulator_->InjectFaults([chunked](const Request&) {
      Fault fault;
      fault.piece_bytes = 7;
      fault.chunked = chunked;
      fault.edit_body = [](std::string body) { return "  " + std::move(body); };
      return fault;
    });
    const httplib::Response response = Get(Api::kVoiceInsights, ListPath(list));
    EXPECT_EQ(response.body, "  " + whole);
    EXPECT_EQ(response.has_header("Content-Length"), !chunked);
  }
}

TEST_F(SimulatorTest, HoldsAndReleasesManyConnections) {
  constexpr size_t kClients = 120;
  std::atomic<size_t> bytes_read = 0;
  simulator_->InjectFaults([](const Request&) {
    Fault fault;
    fault.hold_after = 100;
    return fault;
  });
  const std::string path = ListPath(List(Api::kVoiceInsights, 1));
  std::vector<std::thread> clients;
  std::atomic<size_t> complete = 0;
  for (size_t i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      auto client = Client();
      const auto result = client->Get(path, [&](const char*, size_t size) {
        bytes_read += size;
        return true;
      });
      complete += result && result->status == 200 ? 1 : 0;
    });
  }
  EXPECT_TRUE(simulator_->WaitUntilHolding(kClients));
  EXPECT_EQ(simulator_->body_bytes_sent(), kClients * 100);
  EXPECT_EQ(complete, 0u);
  simulator_->Release();
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(complete, kClients);
  EXPECT_EQ(bytes_read, simulator_->body_bytes_sent());
}

TEST_F(SimulatorTest, CutsConnectionsInBodyAndBeforeHead) {
  const std::string path = ListPath(List(Api::kVoiceInsights, 3));
  for (const bool chunked : {false, true}) {
    simulator_->InjectFaults([chunked](const Request&) {
      Fault fault;
      fault.cut_after = 500;
      fault.chunked = chunked;
      return fault;
    });
    std::string received;
    const auto cut = Client()->Get(path, [&](const char* data, size_t size) {
      received.append(data, size);
      return true;
    });
    EXPECT_FALSE(cut);
    EXPECT_EQ(received.size(), 500u);
  }
  simulator_->InjectFaults([](const Request&) {
    Fault fault;
    fault.cut_before_head = true;
    return fault;
  });
  EXPECT_FALSE(Client()->Get(path));
}

// Sends a request and reads until the connection ends. Returns the bytes read and the error that
// ended it, 0 for EOF.
std::pair<std::string, int> RawGet(const std::string& base_url, const std::string& path,
                                   const std::function<void(const std::string&)>& on_bytes) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port =
      htons(static_cast<uint16_t>(std::stoi(base_url.substr(base_url.rfind(':') + 1))));
  EXPECT_EQ(connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  const std::string request = absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: host\r\n\r\n");
  EXPECT_EQ(send(socket, request.data(), request.size(), MSG_NOSIGNAL), request.size());
  std::string received;
  char buffer[4096];
  ssize_t count;
  while ((count = recv(socket, buffer, sizeof(buffer), 0)) > 0) {
    received.append(buffer, static_cast<size_t>(count));
    on_bytes(received);
  }
  const int error = count < 0 ? errno : 0;
  close(socket);
  return {received, error};
}

TEST_F(SimulatorTest, ResetIsAnErrorAtTheClient) {
  const auto ignore = [](const std::string&) {};
  simulator_->AddPage("/page", std::string(2000, 'x'));
  for (const bool reset : {false, true}) {
    simulator_->InjectFaults([reset](const Request&) {
      Fault fault;
      fault.cut_before_head = true;
      fault.reset = reset;
      return fault;
    });
    EXPECT_EQ(RawGet(simulator_->base_url(), "/page", ignore),
              std::make_pair(std::string(), reset ? ECONNRESET : 0));
    simulator_->InjectFaults([reset](const Request&) {
      Fault fault;
      fault.hold_after = 500;
      fault.cut_after = 500;
      fault.reset = reset;
      return fault;
    });
    const auto [received, error] =
        RawGet(simulator_->base_url(), "/page", [this](const std::string& bytes) {
          if (!absl::EndsWith(bytes, std::string(500, 'x'))) return;
          EXPECT_TRUE(simulator_->WaitUntilHolding(1));
          simulator_->Release();
        });
    EXPECT_THAT(received, ::testing::EndsWith("\r\n\r\n" + std::string(500, 'x')));
    EXPECT_EQ(error, reset ? ECONNRESET : 0);
  }
}

TEST_F(SimulatorTest, HoldsInTheMiddleOfTheHead) {
  simulator_->InjectFaults([](const Request&) {
    Fault fault;
    fault.hold_in_head = true;
    return fault;
  });
  const std::string part = "HTTP/1.1 200 OK\r\nContent-Ty";
  EXPECT_EQ(RawGet(simulator_->base_url(), "/",
                   [&](const std::string& bytes) {
                     if (bytes != part) return;
                     EXPECT_TRUE(simulator_->WaitUntilHolding(1));
                     simulator_->Release();
                   }),
            std::make_pair(part, 0));
}

TEST_F(SimulatorTest, LinksUseHttpsBehindAProxyThatTerminatesTls) {
  const auto result =
      Client()->Get(ListPath(List(Api::kVoiceInsights, 3)) + "?PageSize=2",
                    {{"Host", "provider.example:8443"}, {"X-Forwarded-Proto", "https"}});
  ASSERT_TRUE(result);
  EXPECT_THAT(json::parse(result->body).at("meta").at("next_page_url").get<std::string>(),
              StartsWith("https://provider.example:8443/v1/"));
}

TEST_F(SimulatorTest, KeptPagesServeOnlyTheSameRequest) {
  const std::string target = ListPath(List(Api::kVoiceInsights, 30)) + "?PageSize=20";
  const httplib::Headers host = {{"Host", "one.example"}};
  const std::string made_up = Client()->Get(target, host)->body;
  Options options;
  options.keep_pages = true;
  StartSimulator(options);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Client()->Get(target, host)->body, made_up);
  EXPECT_EQ(httplib::Client(simulator_->base_url()).Get(target, host)->status, 401);
  EXPECT_THAT(Client()->Get(target, {{"Host", "two.example"}})->body,
              HasSubstr("http://two.example/v1/"));
  EXPECT_EQ(Client()->Get(target + "&Page=1", host)->body.find(made_up), std::string::npos);
  EXPECT_EQ(Client()->Get(target, host)->body, made_up);
}

TEST_F(SimulatorTest, CountsClientsThatDisconnect) {
  simulator_->InjectFaults([](const Request&) {
    Fault fault;
    fault.hold_after = 10;
    return fault;
  });
  const auto result = Client()->Get(ListPath(List(Api::kVoiceInsights, 1)),
                                    [](const char*, size_t) { return false; });
  EXPECT_FALSE(result);
  EXPECT_TRUE(simulator_->WaitForDisconnects(1));
  EXPECT_FALSE(simulator_->WaitUntilHolding(1, absl::ZeroDuration()));
}

TEST_F(SimulatorTest, StopsSendingToAPausedReader) {
  Options options;
  options.send_buffer_bytes = 16 * 1024;
  StartSimulator(options);
  std::promise<void> go_on;
  std::promise<void> paused;
  std::thread reader([&, resume = go_on.get_future().share(), first = true]() mutable {
    Client()->Get(ListPath(List(Api::kVoiceInsights, 100'000)) + "?PageSize=1000",
                  [&](const char*, size_t) {
                    if (first) paused.set_value();
                    first = false;
                    resume.wait();
                    return false;
                  });
  });
  paused.get_future().wait();
  EXPECT_FALSE(simulator_->WaitForDisconnects(1, absl::ZeroDuration()));
  go_on.set_value();
  reader.join();
  EXPECT_TRUE(simulator_->WaitForDisconnects(1));
  EXPECT_LT(simulator_->body_bytes_sent(), 1'000'000u);
}

TEST_F(SimulatorTest, ObservesLatencyAndBodySpeed) {
  Options options;
  options.latency = absl::Milliseconds(60);
  options.bytes_per_second = 1'000'000;
  StartSimulator(options);
  simulator_->AddPage("/page", std::string(100'000, ' '));
  const absl::Time asked = absl::Now();
  absl::Time begun = absl::InfiniteFuture();
  const auto result = Client()->Get("/page", [&](const char*, size_t) {
    begun = std::min(begun, absl::Now());
    return true;
  });
  ASSERT_TRUE(result);
  EXPECT_GE(begun - asked, absl::Milliseconds(60));
  // The last piece may be a hundredth of a second early.
  EXPECT_GE(absl::Now() - asked, absl::Milliseconds(60 + 85));
}

TEST_F(SimulatorTest, StopsWithHeldAndIdleConnections) {
  simulator_->InjectFaults([](const Request& request) {
    Fault fault;
    fault.hold_before_head = request.target == "/held";
    return fault;
  });
  auto idle = Client();
  EXPECT_TRUE(idle->Get("/"));
  std::thread held([&] { EXPECT_FALSE(Client()->Get("/held")); });
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  simulator_.reset();
  held.join();
}

TEST_F(SimulatorTest, StartFailsIfThePortIsInUse) {
  Options options;
  options.port = std::stoi(simulator_->base_url().substr(simulator_->base_url().rfind(':') + 1));
  EXPECT_FALSE(Simulator::Start(options).ok());
}

}  // namespace
}  // namespace rollcall::simulator
