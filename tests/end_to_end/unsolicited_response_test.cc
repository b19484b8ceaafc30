// A response must never be matched to another request than its own. First the provider sends bytes
// on connections on which nothing was asked, which no later request may read; then it sends the
// response of another request where no check of the connection can tell, and the ids in the records
// do.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/end_to_end/end_to_end.h"
#include "tests/end_to_end/keep_alive_server.h"

namespace rollcall {
namespace {

using simulator::Api;
using simulator::Direction;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Reply = KeepAliveServer::Reply;
using Request = KeepAliveServer::Request;

constexpr char kFirst[] = "CF00000000000000000000000000000001";
constexpr char kSecond[] = "CF00000000000000000000000000000002";
constexpr char kParticipant[] = "CP00000000000000000000000000000001";

// libcurl reads a body's rest only as far as Content-Length says where the body is larger than its
// buffer, so that what follows stays on the socket.
constexpr size_t kLargerThanABuffer = size_t{40} << 10;

std::string Response(const std::string& status, const std::string& body,
                     const std::string& headers = "") {
  return absl::StrCat("HTTP/1.1 ", status, "\r\n", headers, "Content-Length: ", body.size(),
                      "\r\n\r\n", body);
}

std::string Chunked(const std::string& body) {
  return absl::StrCat("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                      absl::Hex(body.size()), "\r\n", body, "\r\n0\r\n\r\n");
}

// A page of one record. It does not say of which conference it is, so that nothing but the
// connection tells one response from another.
std::string Page(const std::string& label, const std::string& next_link = "", size_t padding = 0) {
  return absl::StrCat(R"({"meta":{"next_page_url":)",
                      next_link.empty() ? "null" : absl::StrCat("\"", next_link, "\""),
                      R"(},"participants":[{"conference_sid":null,"label":")", label, R"("}])",
                      std::string(padding, ' '), "}");
}

// What the provider sends without being asked.
struct Unsolicited {
  std::string name;
  std::string bytes;
  Reply::End end = Reply::End::kNone;
};

std::vector<Unsolicited> AllUnsolicited() {
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

std::string NameOf(const ::testing::TestParamInfo<Wire>& wire) {
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

class KeepAliveFixture : public EndToEndTest {
 protected:
  ~KeepAliveFixture() override {
    if (!ca_file_.empty()) std::filesystem::remove(ca_file_);
  }

  void SetUp() override {}  // StartServer() does it

  void StartServer(KeepAliveServer::Options options,
                   const nlohmann::json& changes = nlohmann::json::object()) {
    server_ = std::make_unique<KeepAliveServer>(std::move(options), nullptr);
    if (options.tls_version) {
      std::string name = (std::filesystem::temp_directory_path() / "ca-XXXXXX").string();
      close(mkstemp(name.data()));
      ca_file_ = name;
      std::ofstream(ca_file_) << server_->authority();
    }
    StartDaemon(changes);
  }

  nlohmann::json Configuration() const override {
    nlohmann::json configuration = SimulatorConfiguration(server_->url());
    configuration["event_loops"] = 1;  // so that all requests share their connections
    configuration["retry"]["max_attempts"] = 1;
    for (nlohmann::json& upstream : configuration["upstreams"]) {
      if (!ca_file_.empty()) upstream["ca_file"] = ca_file_;
    }
    return configuration;
  }

  static std::vector<std::string> LabelsOf(const Listing& listing) {
    std::vector<std::string> labels;
    for (const v1::Participant& participant : listing.participants) {
      labels.push_back(participant.conference_participant_summary().label());
    }
    return labels;
  }

  void ExpectLabels(const Listing& listing, const std::vector<std::string>& labels,
                    const std::string& what) {
    EXPECT_TRUE(listing.status.ok()) << what << ": " << listing.status.error_message();
    EXPECT_EQ(LabelsOf(listing), labels) << what;
    EXPECT_EQ(listing.trailers.at("rollcall-attempts"), absl::StrCat(labels.size())) << what;
  }

  grpc::Status GetLabel(const std::string& conference, std::string& label) {
    v1::GetParticipantRequest request;
    request.mutable_conference_participant_summary()->set_conference_sid(conference);
    request.mutable_conference_participant_summary()->set_participant_sid(kParticipant);
    v1::Participant participant;
    grpc::Status status = Get(request, participant);
    label = participant.conference_participant_summary().label();
    return status;
  }

  std::unique_ptr<KeepAliveServer> server_;
  std::string ca_file_;
};

class UnsolicitedTest : public KeepAliveFixture, public ::testing::WithParamInterface<Wire> {
 protected:
  void StartServer(const nlohmann::json& changes = nlohmann::json::object()) {
    KeepAliveFixture::StartServer({.tls_version = TlsVersionOf(GetParam())}, changes);
  }
};

INSTANTIATE_TEST_SUITE_P(Wires, UnsolicitedTest,
                         ::testing::Values(Wire::kPlain, Wire::kTls12, Wire::kTls13), NameOf);

// Three ways in which the response before can end, each followed at once or a little later.
TEST_P(UnsolicitedTest, BeforeAFirstPageIsNotRead) {
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
  EXPECT_THAT(server_->requests(), SizeIs(replies));  // none went out twice
}

TEST_P(UnsolicitedTest, BeforeAGetIsNotRead) {
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

TEST_P(UnsolicitedTest, BeforeALaterPageIsNotRead) {
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
    }
  }
}

// The provider asks for a wait of a second; all lists wait at once.
TEST_P(UnsolicitedTest, AfterARetryIsNotRead) {
  StartServer({{"retry", {{"max_attempts", 2}}}, {"circuit_breaker", {{"failures", 1000}}}});
  const std::vector<Unsolicited> all = AllUnsolicited();
  std::vector<std::atomic<bool>> failed(all.size());
  server_->SetHandler([&](const Request& request) {
    size_t list = 0;
    while (!absl::StrContains(request.target, absl::StrCat(100 + list, "/Participants"))) ++list;
    if (failed[list].exchange(true)) return Reply{.response = Response("200 OK", Page("good"))};
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
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_TRUE(listings[i].status.ok()) << all[i].name << listings[i].status.error_message();
    EXPECT_THAT(LabelsOf(listings[i]), ElementsAre("good")) << all[i].name;
    EXPECT_EQ(listings[i].trailers.at("rollcall-attempts"), "2") << all[i].name;
  }
}

// What is TLS's own, such as the session tickets of TLS 1.3, is no reason to close a connection.
TEST_P(UnsolicitedTest, ConnectionsAreReusedWhereNothingIsUnsolicited) {
  StartServer();
  for (const bool ticket : {false, true}) {
    server_->SetHandler([ticket](const Request&) {
      return Reply{.response = Response("200 OK", Page("good")), .ticket = ticket};
    });
    for (int i = 0; i < 20; ++i) {
      ExpectLabels(List(ConferenceRequest(kFirst)), {"good"}, absl::StrCat("ticket: ", ticket));
      ASSERT_TRUE(server_->WaitForReplies(server_->requests().size()));
    }
  }
  EXPECT_THAT(server_->requests(), SizeIs(40));
  EXPECT_EQ(server_->connections(), 1u);
}

// What comes in answer to a request on a reused connection, but is no HTTP, was on its way before
// the request was.
TEST_P(UnsolicitedTest, AReusedConnectionWithoutAStatusLineIsLeftForANewOne) {
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

// The provider's kernel has not taken all of the request yet when the response comes: it was sent
// before the request arrived.
TEST_F(EarlyResponseTest, IsNotTakenForTheRequestsOwn) {
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

class MisdirectedTest : public KeepAliveFixture {
 protected:
  void SetUp() override {
    StartServer({}, {{"retry", {{"max_attempts", 3}, {"initial_backoff_seconds", 0.001}}}});
  }

  static std::string PageOf(const std::string& conference, const std::string& label,
                            const std::string& next = "") {
    return absl::StrReplaceAll(
        Page(label, next),
        {{"\"conference_sid\":null", absl::StrCat("\"conference_sid\":\"", conference, "\"")}});
  }
};

TEST_F(MisdirectedTest, APageOfAnotherListIsFetchedAgainOnANewConnection) {
  for (const std::string& wrong :
       {PageOf(kSecond, "stranger"),
        Page("", absl::StrCat("/v1/Conferences/", kSecond, "/Participants?Page=1"))}) {
    server_->SetHandler([&, is_wrong = std::make_shared<std::atomic<bool>>(true)](const Request&) {
      return Reply{.response = Response(
                       "200 OK", is_wrong->exchange(false)
                                     ? absl::StrReplaceAll(
                                           wrong, {{R"({"conference_sid":null,"label":""})", ""}})
                                     : PageOf(kFirst, "good"))};
    });
    const size_t before = server_->requests().size();
    const Listing listing = List(ConferenceRequest(kFirst));
    EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
    EXPECT_THAT(LabelsOf(listing), ElementsAre("good"));
    const std::vector<Request> requests = server_->requests();
    ASSERT_THAT(requests, SizeIs(before + 2));
    EXPECT_NE(requests[before].connection, requests[before + 1].connection);
  }
}

// The response to a get is complete, and its connection back among the idle ones, before it is
// known to be another's.
TEST_F(MisdirectedTest, TheConnectionOfAnotherParticipantIsNotUsedAgain) {
  server_->SetHandler([](const Request& request) {
    const std::string conference = request.connection == 0 ? kSecond : kFirst;
    return Reply{.response = Response("200 OK", absl::StrCat(R"({"label":"x","conference_sid":")",
                                                             conference, "\"}"))};
  });
  for (int i = 0; i < 3; ++i) {
    std::string label;
    const grpc::Status status = GetLabel(kFirst, label);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  const std::vector<Request> requests = server_->requests();
  ASSERT_THAT(requests, SizeIs(4));
  EXPECT_EQ(requests[0].connection, 0u);
  for (size_t i = 1; i < requests.size(); ++i) EXPECT_NE(requests[i].connection, 0u) << i;
}

// Of each API: a list, and the fetch of one, whose records carry another id than was asked for.
class OtherIdsTest : public EndToEndTest, public ::testing::WithParamInterface<Api> {
 protected:
  void SetUp() override {
    EndToEndTest::SetUp();
    StartDaemon({{"retry", {{"max_attempts", 3}, {"initial_backoff_seconds", 0.001}}}});
  }

  // Edits the first `times` responses.
  void Edit(int times, std::vector<std::pair<std::string, std::string>> replacements) {
    auto left = std::make_shared<std::atomic<int>>(times);
    simulator_->Direct([=](const simulator::Request&) {
      Direction direction;
      if ((*left)-- > 0) {
        direction.edit_body = [replacements](const std::string& body) {
          return absl::StrReplaceAll(body, replacements);
        };
      }
      return direction;
    });
  }

  v1::GetParticipantRequest GetRequest(int64_t index) const {
    v1::GetParticipantRequest request;
    request.set_upstream(GetParam() == Api::kSignalWire ? "signalwire" : "twilio");
    const std::string sid = ParticipantSid(list_, index);
    if (GetParam() == Api::kVoiceInsights) {
      request.mutable_conference_participant_summary()->set_conference_sid(ListSid(list_));
      request.mutable_conference_participant_summary()->set_participant_sid(sid);
    } else if (GetParam() == Api::kVideoInsights) {
      request.mutable_room_participant_summary()->set_room_sid(ListSid(list_));
      request.mutable_room_participant_summary()->set_participant_sid(sid);
    } else {
      request.mutable_live_participant()->set_conference_sid(ListSid(list_));
      request.mutable_live_participant()->set_call_sid(sid);
    }
    return request;
  }

  // The id's last digit is another one.
  static std::string Other(std::string id) {
    id.back() = id.back() == '7' ? '8' : '7';
    return id;
  }
  std::string ContainerMember(const std::string& value) const {
    return absl::StrCat(
        GetParam() == Api::kVideoInsights ? "\"room_sid\": " : "\"conference_sid\": ", value);
  }
  std::string Container(const std::string& id) const {
    return ContainerMember(absl::StrCat("\"", id, "\""));
  }

  const simulator::List list_{GetParam(), 20};
};

INSTANTIATE_TEST_SUITE_P(Apis, OtherIdsTest,
                         ::testing::Values(Api::kVoiceInsights, Api::kVideoInsights,
                                           Api::kSignalWire, Api::kTwilioCore));

TEST_P(OtherIdsTest, OfAListAreNotDelivered) {
  ASSERT_THAT(simulator::ParticipantJson(list_, 0), HasSubstr(Container(ListSid(list_))));
  for (const int times : {1, 100}) {
    Edit(times, {{Container(ListSid(list_)), Container(Other(ListSid(list_)))}});
    for (const bool masked : {false, true}) {  // the field is checked also where it is not wanted
      v1::ListParticipantsRequest request = RequestFor(list_);
      if (masked) request.mutable_read_mask()->add_paths("account_sid");
      const Listing listing = List(request);
      EXPECT_EQ(Reason(listing.status), times == 1 ? "" : "UPSTREAM_MALFORMED_RESPONSE");
      EXPECT_THAT(listing.participants, SizeIs(times == 1 ? 20 : 0));
      if (times > 1) {
        EXPECT_EQ(listing.trailers.at("rollcall-attempts"), "3");
        EXPECT_THAT(listing.status.error_message(), HasSubstr("is not to this request"));
        EXPECT_FALSE(absl::StrContains(listing.status.error_message(), Other(ListSid(list_))));
      }
    }
  }
}

TEST_P(OtherIdsTest, OfOneRecordInTheMiddleMakeThePageMalformed) {
  const std::string record = simulator::ParticipantJson(list_, 7);
  Edit(1, {{record, absl::StrReplaceAll(
                        record, {{Container(ListSid(list_)), Container(Other(ListSid(list_)))}})}});
  const Listing listing = List(RequestFor(list_));
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  ASSERT_THAT(listing.participants, SizeIs(20));
  EXPECT_EQ(listing.trailers.at("rollcall-attempts"), "2");
}

TEST_P(OtherIdsTest, OfAParticipantAreNotDelivered) {
  const std::string sid = ParticipantSid(list_, 3);
  const std::string quoted = absl::StrCat("\"", sid, "\"");
  const std::string other = absl::StrCat("\"", Other(sid), "\"");
  for (const auto& [from, to] :
       {std::pair(Container(ListSid(list_)), Container(Other(ListSid(list_)))),
        std::pair(quoted, other)}) {
    for (const int times : {1, 100}) {
      Edit(times, {{from, to}});
      v1::Participant participant;
      const grpc::Status status = Get(GetRequest(3), participant);
      EXPECT_EQ(Reason(status), times == 1 ? "" : "UPSTREAM_MALFORMED_RESPONSE") << from;
      EXPECT_EQ(participant.record_case() == v1::Participant::RECORD_NOT_SET, times > 1) << from;
    }
  }
}

// Null, no member, what is no id, and the same id in other letters do not contradict.
TEST_P(OtherIdsTest, ThatSayNothingAreDelivered) {
  const std::string member = Container(ListSid(list_));
  std::string upper = absl::AsciiStrToUpper(ListSid(list_));
  for (const std::string& to :
       {ContainerMember("null"), ContainerMember("\"\""), ContainerMember("\"string\""),
        ContainerMember("17"), ContainerMember("[]"), Container(upper), std::string("\"x\":1"),
        Container(absl::StrCat(ListSid(list_), "0")),
        Container("XX" + Other(ListSid(list_)).substr(2)),
        Container(absl::StrCat(" ", Other(ListSid(list_))))}) {
    Edit(100, {{member, to}});
    const Listing listing = List(RequestFor(list_));
    EXPECT_TRUE(listing.status.ok()) << to << listing.status.error_message();
    EXPECT_THAT(listing.participants, SizeIs(20)) << to;
    v1::Participant participant;
    const grpc::Status status = Get(GetRequest(3), participant);
    EXPECT_TRUE(status.ok()) << to << status.error_message();
  }
}

TEST_F(EndToEndTest, AListOfOneParticipantHasNoOther) {
  const simulator::List list(Api::kVoiceInsights, 20);
  v1::ListParticipantsRequest request = RequestFor(list);
  request.mutable_conference_participant_summaries()->set_participant_sid(ParticipantSid(list, 4));
  EXPECT_THAT(List(request).participants, SizeIs(1));
  simulator_->Direct([&](const simulator::Request&) {
    Direction direction;
    direction.edit_body = [&](const std::string& body) {
      return absl::StrReplaceAll(body, {{ParticipantSid(list, 4), ParticipantSid(list, 5)}});
    };
    return direction;
  });
  const Listing listing = List(request);
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_MALFORMED_RESPONSE");
  EXPECT_THAT(listing.participants, IsEmpty());
}

}  // namespace
}  // namespace rollcall
