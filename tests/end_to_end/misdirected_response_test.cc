// The provider sends the response to another request, and no check of the connection detects it.
// The ids in the records and the page's links do. rollcalld fetches the page again on a new
// connection, and fails the call if that persists.
#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/end_to_end/keep_alive_fixture.h"

namespace rollcall {
namespace {

using simulator::Api;
using simulator::Fault;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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

TEST_F(MisdirectedTest, PageOfAnotherListIsRefetchedOnANewConnection) {
  const auto empty_page = [](const std::string& next) {
    return absl::StrCat(R"({"participants":[],"meta":{"next_page_url":")", next, "\"}}");
  };
  for (const std::string& wrong :
       {PageOf(kSecond, "stranger"),
        empty_page(absl::StrCat("/v1/Conferences/", kSecond, "/Participants?Page=1")),
        empty_page("/v1/Video/Rooms/RM0123456789abcdef0123456789abcdef/Participants")}) {
    server_->SetHandler([&, is_wrong = std::make_shared<std::atomic<bool>>(true)](const Request&) {
      return Reply{.response = Response(
                       "200 OK", is_wrong->exchange(false) ? wrong : PageOf(kFirst, "good"))};
    });
    const size_t before = server_->requests().size();
    const Listing listing = List(ConferenceRequest(kFirst));
    EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
    EXPECT_THAT(LabelsOf(listing), ElementsAre("good"));
    WaitForServer();
    const std::vector<Request> requests = server_->requests();
    ASSERT_THAT(requests, SizeIs(before + 2));
    EXPECT_NE(requests[before].connection, requests[before + 1].connection);
  }
}

// The response to a get is complete, and its connection idle again, before the id shows that it is
// another's.
TEST_F(MisdirectedTest, ConnectionWithAnotherParticipantIsNotReused) {
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

// The connection must be closed too.
TEST_F(MisdirectedTest, ConnectionWithAnotherParticipantIsClosed) {
  server_->SetHandler([](const Request&) {
    return Reply{.response =
                     Response("200 OK", absl::StrCat(R"({"conference_sid":")", kSecond, "\"}"))};
  });
  std::string label;
  GetLabel(kFirst, label);
  const size_t before = daemon_->OpenSockets();
  for (int i = 0; i < 30; ++i) {
    EXPECT_EQ(Reason(GetLabel(kFirst, label)), "UPSTREAM_MALFORMED_RESPONSE");
  }
  EXPECT_GE(server_->connections(), 90u);
  // libcurl looks for dead connections once a second.
  server_->SetHandler(
      [](const Request&) { return Reply{.response = Response("200 OK", PageOf(kFirst, "good"))}; });
  while (daemon_->IsRunning() && daemon_->OpenSockets() > before + 5) {
    EXPECT_TRUE(List(ConferenceRequest(kFirst)).status.ok());
  }
}

// For each API: a list and a get whose records have another id than the request's.
class OtherIdsTest : public EndToEndTest, public ::testing::WithParamInterface<Api> {
 protected:
  void SetUp() override {
    EndToEndTest::SetUp();
    StartDaemon({{"retry", {{"max_attempts", 3}, {"initial_backoff_seconds", 0.001}}}});
  }

  // Edits the first `times` responses.
  void Edit(int times, std::vector<std::pair<std::string, std::string>> replacements) {
    auto left = std::make_shared<std::atomic<int>>(times);
    simulator_->InjectFaults([=](const simulator::Request&) {
      Fault fault;
      if ((*left)-- > 0) {
        fault.edit_body = [replacements](const std::string& body) {
          return absl::StrReplaceAll(body, replacements);
        };
      }
      return fault;
    });
  }

  // The id with another last digit.
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

TEST_P(OtherIdsTest, ListRejectsRecordsOfAnotherList) {
  ASSERT_THAT(simulator::ParticipantJson(list_, 0), HasSubstr(Container(ListSid(list_))));
  for (const int times : {1, 100}) {
    Edit(times, {{Container(ListSid(list_)), Container(Other(ListSid(list_)))}});
    for (const bool masked : {false, true}) {  // checked even if the read mask leaves it out
      v1::ListParticipantsRequest request = RequestFor(list_);
      if (masked) request.mutable_read_mask()->add_paths("account_sid");
      const Listing listing = List(request);
      EXPECT_EQ(Reason(listing.status), times == 1 ? "" : "UPSTREAM_MALFORMED_RESPONSE");
      EXPECT_THAT(listing.participants, SizeIs(times == 1 ? 20 : 0));
      if (times > 1) {
        EXPECT_EQ(listing.trailers.at("rollcall-attempts"), "3");
        EXPECT_THAT(listing.status.error_message(), HasSubstr("belongs to another request"));
        EXPECT_FALSE(absl::StrContains(listing.status.error_message(), Other(ListSid(list_))));
      }
    }
  }
}

TEST_P(OtherIdsTest, OneRecordOfAnotherListMakesThePageMalformed) {
  const std::string record = simulator::ParticipantJson(list_, 7);
  Edit(1, {{record, absl::StrReplaceAll(
                        record, {{Container(ListSid(list_)), Container(Other(ListSid(list_)))}})}});
  const Listing listing = List(RequestFor(list_));
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  ASSERT_THAT(listing.participants, SizeIs(20));
  EXPECT_EQ(listing.trailers.at("rollcall-attempts"), "2");
}

TEST_P(OtherIdsTest, GetRejectsAnotherParticipant) {
  const std::string sid = ParticipantSid(list_, 3);
  const std::string quoted = absl::StrCat("\"", sid, "\"");
  const std::string other = absl::StrCat("\"", Other(sid), "\"");
  for (const auto& [from, to] :
       {std::pair(Container(ListSid(list_)), Container(Other(ListSid(list_)))),
        std::pair(quoted, other)}) {
    for (const int times : {1, 100}) {
      Edit(times, {{from, to}});
      v1::Participant participant;
      const grpc::Status status = Get(GetRequestFor(list_, 3), participant);
      EXPECT_EQ(Reason(status), times == 1 ? "" : "UPSTREAM_MALFORMED_RESPONSE") << from;
      EXPECT_EQ(participant.record_case() == v1::Participant::RECORD_NOT_SET, times > 1) << from;
    }
  }
}

// Null, an absent member, text that is not an id, and the same id in another case do not contradict
// the request.
TEST_P(OtherIdsTest, DeliversRecordsWithoutComparableId) {
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
    const grpc::Status status = Get(GetRequestFor(list_, 3), participant);
    EXPECT_TRUE(status.ok()) << to << status.error_message();
  }
}

TEST_F(EndToEndTest, ListFilteredByParticipantRejectsAnother) {
  const simulator::List list(Api::kVoiceInsights, 20);
  v1::ListParticipantsRequest request = RequestFor(list);
  request.mutable_conference_participant_summaries()->set_participant_sid(ParticipantSid(list, 4));
  EXPECT_THAT(List(request).participants, SizeIs(1));
  simulator_->InjectFaults([list](const simulator::Request&) {
    Fault fault;
    fault.edit_body = [list](const std::string& body) {
      return absl::StrReplaceAll(body, {{ParticipantSid(list, 4), ParticipantSid(list, 5)}});
    };
    return fault;
  });
  const Listing listing = List(request);
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_MALFORMED_RESPONSE");
  EXPECT_THAT(listing.participants, IsEmpty());
}

}  // namespace
}  // namespace rollcall
