// A response must never be matched to another request. The provider sends bytes on connections
// without a request, and no later request may read them. misdirected_response_test covers what the
// connection does not show.
#include <curl/curlver.h>
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/end_to_end/keep_alive_fixture.h"

namespace rollcall {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

// If a body is larger than libcurl's buffer, libcurl reads exactly up to its Content-Length, so
// that the bytes after it stay in the socket.
constexpr size_t kLargerThanABuffer = size_t{40} << 10;

// What the provider sends without a request.
struct Unsolicited {
  std::string name;
  std::string bytes;
  KeepAliveServer::Reply::End end = KeepAliveServer::Reply::End::kNone;
};

std::string Chunked(const std::string& body) {
  return absl::StrCat("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                      absl::Hex(body.size()), "\r\n", body, "\r\n0\r\n\r\n");
}

std::vector<Unsolicited> AllUnsolicited() {
  using Reply = KeepAliveServer::Reply;
  std::vector<Unsolicited> all = {
      {"a page", Response("200 OK", Page("stranger"))},
      {"a page in chunks", Chunked(Page("stranger"))},
      {"a page that does not end", "HTTP/1.1 200 OK\r\n\r\n" + Page("stranger")},
      {"a participant",
       Response("200 OK", R"({"participant_sid":null,"conference_sid":null,"label":"stranger"})")},
      {"interim", "HTTP/1.1 100 Continue\r\n\r\n"},
      {"early hints", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"},
      {"a line break", "\r\n"},
      {"the end of chunks", "0\r\n\r\n"},
      {"a chunk", "5\r\nhello\r\n0\r\n\r\n"},
      {"a byte", "x"},
      {"a part of a head", "HTTP/1.1 404 Not"},
      {"an end", "", Reply::End::kClose},
      {"a reset", "", Reply::End::kReset},
      {"a page and an end", Response("200 OK", Page("stranger")), Reply::End::kClose},
  };
  for (const char* status :
       {"204 No Content", "301 Moved", "304 Not Modified", "400 Bad Request", "401 Unauthorized",
        "403 Forbidden", "404 Not Found", "408 Request Timeout", "429 Too Many", "500 Error",
        "503 Unavailable"}) {
    all.push_back({status, Response(status, R"({"code":20404,"message":"stranger"})")});
  }
  return all;
}

enum class Wire { kPlain, kTls12, kTls13 };

std::string WireName(const ::testing::TestParamInfo<Wire>& wire) {
  switch (wire.param) {
    case Wire::kPlain:
      return "Plain";
    case Wire::kTls12:
      return "Tls12";
    case Wire::kTls13:
      return "Tls13";
  }
  return "";
}

std::optional<int> TlsVersionOf(Wire wire) {
  switch (wire) {
    case Wire::kPlain:
      return std::nullopt;
    case Wire::kTls12:
      return TLS1_2_VERSION;
    case Wire::kTls13:
      return TLS1_3_VERSION;
  }
  return std::nullopt;
}

class UnsolicitedTest : public KeepAliveFixture, public ::testing::WithParamInterface<Wire> {
 protected:
  void StartServer(const nlohmann::json& changes = nlohmann::json::object()) {
    KeepAliveFixture::StartServer({.tls_version = TlsVersionOf(GetParam())}, changes);
  }
};

INSTANTIATE_TEST_SUITE_P(Wires, UnsolicitedTest,
                         ::testing::Values(Wire::kPlain, Wire::kTls12, Wire::kTls13), WireName);

// The previous response ends in one of three ways, and the bytes follow at once or a little later.
TEST_P(UnsolicitedTest, FirstPageIgnoresEarlierBytes) {
  StartServer();
  const std::vector<std::string> befores = {
      Response("200 OK", Page("first")), Response("200 OK", Page("first", "", kLargerThanABuffer)),
      Chunked(Page("first"))};
  size_t replies = 0;
  for (const Unsolicited& unsolicited : AllUnsolicited()) {
    for (const std::string& before : befores) {
      for (const bool at_once : {false, true}) {
        server_->SetHandler([&](const Request& request) {
          if (!absl::StrContains(request.target, kFirst)) {
            return Reply{.response = Response("200 OK", Page("second"))};
          }
          return Reply{.response = before,
                       .unsolicited = unsolicited.bytes,
                       .at_once = at_once,
                       .end = unsolicited.end};
        });
        const std::string what = absl::StrCat(unsolicited.name, ", at once: ", at_once);
        ExpectLabels(List(ConferenceRequest(kFirst)), {"first"}, what);
        ASSERT_TRUE(server_->WaitForReplies(++replies));
        ExpectLabels(List(ConferenceRequest(kSecond)), {"second"}, what);
        ++replies;
      }
    }
  }
  WaitForServer();
  EXPECT_THAT(server_->requests(), SizeIs(replies));  // no request was sent twice
}

TEST_P(UnsolicitedTest, GetIgnoresEarlierBytes) {
  StartServer();
  size_t replies = 0;
  for (const Unsolicited& unsolicited : AllUnsolicited()) {
    server_->SetHandler([&](const Request& request) {
      const bool is_first = absl::StrContains(request.target, kFirst);
      const std::string record = absl::StrCat(R"({"participant_sid":null,"label":")",
                                              is_first ? "first" : "second", "\"}");
      return Reply{.response = Response("200 OK", record),
                   .unsolicited = is_first ? unsolicited.bytes : "",
                   .end = is_first ? unsolicited.end : Reply::End::kNone};
    });
    std::string label;
    EXPECT_TRUE(GetLabel(kFirst, label).ok());
    EXPECT_EQ(label, "first");
    ASSERT_TRUE(server_->WaitForReplies(++replies));
    const grpc::Status status = GetLabel(kSecond, label);
    EXPECT_TRUE(status.ok()) << unsolicited.name << ": " << status.error_message();
    EXPECT_EQ(label, "second") << unsolicited.name;
    ++replies;
  }
  EXPECT_THAT(server_->requests(), SizeIs(replies));
}

TEST_P(UnsolicitedTest, LaterPageIgnoresEarlierBytes) {
  for (const bool prefetch : {false, true}) {
    StartServer({{"prefetch", prefetch}});
    for (const Unsolicited& unsolicited : AllUnsolicited()) {
      server_->SetHandler([&](const Request& request) {
        const bool is_second = absl::StrContains(request.target, "Page=1");
        const bool is_third = absl::StrContains(request.target, "Page=2");
        const std::string label = is_third ? "c" : is_second ? "b" : "a";
        const std::string next = is_third ? ""
                                          : absl::StrCat("/v1/Conferences/", kFirst,
                                                         "/Participants?Page=", is_second ? 2 : 1);
        return Reply{.response = Response("200 OK", Page(label, next, kLargerThanABuffer)),
                     .unsolicited = unsolicited.bytes,
                     .at_once = true,
                     .end = unsolicited.end};
      });
      ExpectLabels(List(ConferenceRequest(kFirst)), {"a", "b", "c"},
                   absl::StrCat(unsolicited.name, ", prefetch: ", prefetch));
      WaitForServer();
    }
  }
}

// The provider requests a wait of one second. All lists wait at the same time, each after using a
// connection of its own.
TEST_P(UnsolicitedTest, RetryIgnoresEarlierBytes) {
  StartServer({{"retry", {{"max_attempts", 2}}}, {"circuit_breaker", {{"failures", 1000}}}});
  const std::vector<Unsolicited> all = AllUnsolicited();
  std::vector<std::atomic<bool>> failed(all.size());
  std::atomic<size_t> arrived = 0;
  std::promise<void> all_arrived;
  const std::shared_future<void> together = all_arrived.get_future().share();
  server_->SetHandler([&](const Request& request) {
    size_t list = 0;
    while (!absl::StrContains(request.target, absl::StrCat(100 + list, "/Participants"))) ++list;
    if (failed[list].exchange(true)) return Reply{.response = Response("200 OK", Page("good"))};
    if (++arrived == all.size()) all_arrived.set_value();
    EXPECT_EQ(together.wait_for(std::chrono::seconds(30)), std::future_status::ready);
    return Reply{.response = Response("503 Unavailable", "{}", "Retry-After: 1\r\n"),
                 .unsolicited = all[list].bytes,
                 .end = all[list].end};
  });
  std::vector<Listing> listings(all.size());
  std::vector<std::thread> callers;
  for (size_t i = 0; i < all.size(); ++i) {
    callers.emplace_back([this, i, &listings] {
      listings[i] = List(ConferenceRequest(absl::StrCat(std::string(kFirst, 31), 100 + i)));
    });
  }
  for (std::thread& caller : callers) caller.join();
  WaitForServer();
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_TRUE(listings[i].status.ok()) << all[i].name << listings[i].status.error_message();
    EXPECT_THAT(LabelsOf(listings[i]), ElementsAre("good")) << all[i].name;
    EXPECT_EQ(listings[i].trailers.at("rollcall-attempts"), "2") << all[i].name;
  }
}

// TLS's own records, such as session tickets of TLS 1.3, must not close a connection.
TEST_P(UnsolicitedTest, CleanConnectionsAreReused) {
  StartServer();
  // Newer libcurl versions close connections with unread input of any kind themselves.
  constexpr bool kTicketsMayCome = LIBCURL_VERSION_NUM < 0x080000;
  for (const bool ticket : {false, kTicketsMayCome}) {
    server_->SetHandler([ticket](const Request&) {
      return Reply{.response = Response("200 OK", Page("good")), .ticket = ticket};
    });
    for (int i = 0; i < 20; ++i) {
      ExpectLabels(List(ConferenceRequest(kFirst)), {"good"}, absl::StrCat("ticket: ", ticket));
      WaitForServer();
    }
  }
  EXPECT_THAT(server_->requests(), SizeIs(40));
  EXPECT_EQ(server_->connections(), 1u);
}

// libcurl would wait for the handshake until the timeout.
TEST_P(UnsolicitedTest, RenegotiationRequestEndsTheConnection) {
  StartServer();
  server_->SetHandler([](const Request&) {
    return Reply{.response = Response("200 OK", Page("good")), .renegotiate = true};
  });
  for (int i = 0; i < 3; ++i) {
    ExpectLabels(List(ConferenceRequest(kFirst)), {"good"}, absl::StrCat(i));
    WaitForServer();
  }
  EXPECT_EQ(server_->connections(), GetParam() == Wire::kTls12 ? 3u : 1u);
}

// Like a load balancer that has forgotten its idle connections: each one dies at the next request.
TEST_P(UnsolicitedTest, DeadIdleConnectionsFailNoRequest) {
  constexpr size_t kConnections = 20;
  StartServer({{"retry", {{"max_attempts", 1}}}, {"circuit_breaker", {{"failures", 1}}}});
  for (const Reply::End end : {Reply::End::kClose, Reply::End::kReset}) {
    const size_t before = server_->connections();
    std::atomic<size_t> waiting = 0;
    server_->SetHandler([&](const Request& request) {
      if (request.connection < before + kConnections && request.number > 0)
        return Reply{.end = end};
      // All lists run at the same time, each on a connection of its own.
      if (request.connection < before + kConnections) {
        ++waiting;
        while (waiting < kConnections) std::this_thread::yield();
      }
      return Reply{.response = Response("200 OK", Page("good"))};
    });
    std::vector<Listing> listings(kConnections);
    std::vector<std::thread> callers;
    for (size_t i = 0; i < kConnections; ++i) {
      callers.emplace_back([&, i] { listings[i] = List(ConferenceRequest(kFirst)); });
    }
    for (std::thread& caller : callers) caller.join();
    for (const Listing& listing : listings) ExpectLabels(listing, {"good"}, "warming up");
    for (int i = 0; i < 3; ++i) ExpectLabels(List(ConferenceRequest(kFirst)), {"good"}, "later");
    WaitForServer();
    StartDaemon({{"retry", {{"max_attempts", 1}}}, {"circuit_breaker", {{"failures", 1}}}});
  }
}

// Bytes on a reused connection that are not HTTP were sent before the request.
TEST_P(UnsolicitedTest, ReusedConnectionWithoutStatusLineIsReplaced) {
  StartServer();
  for (const char* bytes : {"\r\n\r\n", "0\r\n\r\n", "ello\r\n0\r\n\r\n", " Found\r\n\r\n"}) {
    const size_t before = server_->connections();
    server_->SetHandler([bytes](const Request& request) {
      return Reply{.response = request.number > 0 ? bytes : Response("200 OK", Page("good"))};
    });
    for (int i = 0; i < 3; ++i) ExpectLabels(List(ConferenceRequest(kFirst)), {"good"}, bytes);
    EXPECT_GE(server_->connections(), before + 2);
  }
}

class EarlyResponseTest : public KeepAliveFixture {};

// The response comes before the provider's kernel has taken the whole request, so it was sent
// before the request arrived.
TEST_F(EarlyResponseTest, IsNotMatchedToTheRequest) {
  StartServer({.receive_buffer_bytes = 1, .answers_early = true});
  server_->SetHandler([](const Request& request) {
    return Reply{.response = request.number > 0 ? Response("404 Not Found", "{}")
                                                : Response("200 OK", Page("good"))};
  });
  v1::ListParticipantsRequest request = ConferenceRequest(kFirst);
  request.mutable_conference_participant_summaries()->set_label(std::string(3900, 'x'));
  for (int i = 0; i < 5; ++i) ExpectLabels(List(request), {"good"}, absl::StrCat(i));
  EXPECT_EQ(server_->connections(), 5u);
  EXPECT_THAT(server_->requests(), SizeIs(9));
}

}  // namespace
}  // namespace rollcall
