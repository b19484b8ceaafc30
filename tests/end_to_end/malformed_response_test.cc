// Responses with status 200 that do not match the request: pages without their array or next link,
// which must not end a list, and documents that are not a participant. rollcalld fetches them
// again, and fails the call if they persist.
#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/end_to_end/end_to_end.h"
#include "tests/simulator/sid_of.h"

namespace rollcall {
namespace {

using simulator::Api;
using simulator::Fault;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr int kAttempts = 2;

class MalformedResponseTest : public EndToEndTest, public ::testing::WithParamInterface<Api> {
 protected:
  nlohmann::json Configuration() const override {
    nlohmann::json configuration = EndToEndTest::Configuration();
    configuration["retry"] = {{"max_attempts", kAttempts}, {"initial_backoff_seconds", 0.001}};
    return configuration;
  }

  bool IsInsights() const {
    return GetParam() == Api::kVoiceInsights || GetParam() == Api::kVideoInsights;
  }

  // Serves `body` for the first `times` requests whose target contains `part`.
  void Replace(const std::string& part, int times, const std::string& body) {
    auto left = std::make_shared<std::atomic<int>>(times);
    simulator_->InjectFaults([=](const simulator::Request& request) {
      return absl::StrContains(request.target, part) && (*left)-- > 0
                 ? simulator::Respond(200, body)
                 : Fault();
    });
  }

  std::string Records() const {
    return absl::StrCat("[", simulator::ParticipantJson(list_, 5), ",",
                        simulator::ParticipantJson(list_, 6), "]");
  }

  // Builds pages from members given as text: the API's array, and the member with its next link.
  static std::string Object(const std::vector<std::string>& members) {
    return absl::StrCat("{", absl::StrJoin(members, ","), "}");
  }
  std::string Array(const std::string& value) const {
    return absl::StrCat(R"("participants":)", value);
  }
  std::string Link(const std::string& value) const {
    return IsInsights() ? absl::StrCat(R"("meta":{"page":1,"next_page_url":)", value, "}")
                        : absl::StrCat(R"("next_page_uri":)", value);
  }

  // Every malformed form of a next link.
  std::vector<std::string> PagesWithoutALink() const {
    std::vector<std::string> links = {R"("page":1)", Link("1"), Link("false"), Link("[]"),
                                      Link("{}"), Link("nul"), Link("\"/x"), R"("next":null)",
                                      // How Twilio's newer APIs page.
                                      R"("meta":{"pageSize":50,"nextToken":null})",
                                      absl::StrCat(Link("null"), ",", Link("null"))};
    if (IsInsights()) {
      for (const char* meta :
           {"null", "{}", "[]", "\"\"", "1", R"({"next_page_uri":null})",
            R"({"page":{"next_page_url":null}})", R"([{"next_page_url":null}])",
            R"({"next_page_url":"/v1/x","next_page_url":null})",
            R"({"next_page_url":null,"next\u005fpage_url":null})", R"({"next_page_url":null)"}) {
        links.push_back(absl::StrCat(R"("meta":)", meta));
      }
      links.push_back(R"("next_page_url":null)");
    } else {
      links.push_back(R"("meta":{"next_page_uri":null})");
      links.push_back(R"("next_page_uri":null,"next\u005fpage_uri":null)");
    }
    std::vector<std::string> pages;
    for (const std::string& link : links) {
      pages.push_back(Object({Array(Records()), link}));
      pages.push_back(Object({link, Array(Records())}));
    }
    pages.push_back(Object({Array(Records())}));
    return pages;
  }

  std::vector<std::string> PagesWithoutAnArray() const {
    std::vector<std::string> pages = {"",
                                      " ",
                                      "null",
                                      "[]",
                                      "{}",
                                      "0",
                                      "\"\"",
                                      Records(),
                                      "<html><body>502 Bad Gateway</body></html>",
                                      simulator::ParticipantJson(list_, 5),
                                      R"({"code":20404,"message":"gone","status":404})",
                                      Object({Link("null")})};
    for (const char* value :
         {"{}", "\"\"", "0", "true", "[null]", "[[]]", "[1]", "nul", "nulls", R"({"0":{}})"}) {
      pages.push_back(Object({Array(value), Link("null")}));
      pages.push_back(Object({Link("null"), Array(value)}));
    }
    pages.push_back(Object({Array("[]"), Link("null"), Array("[]")}));
    pages.push_back(Object({Array("null"), Link("null"), Array(Records())}));
    pages.push_back(Object({Array(Records()), Link("null"), Array("null")}));
    pages.push_back(Object({absl::StrCat(R"("records":)", Records()), Link("null")}));
    return pages;
  }

  v1::ListParticipantsRequest Request() const {
    v1::ListParticipantsRequest request = RequestFor(list_);
    request.set_page_size(5);
    return request;
  }

  void ExpectWhole(const Listing& listing, const std::string& what) const {
    EXPECT_TRUE(listing.status.ok()) << what << ": " << listing.status.error_message();
    ASSERT_THAT(listing.participants, SizeIs(list_.size)) << what;
    std::vector<std::string> ids;
    std::vector<std::string> expected;
    for (int64_t i = 0; i < list_.size; ++i) {
      ids.push_back(simulator::SidOf(listing.participants[static_cast<size_t>(i)]));
      expected.push_back(simulator::ParticipantSid(list_, i));
    }
    EXPECT_EQ(ids, expected) << what;
  }

  // Replaces the second of three pages.
  void ExpectDoesNotEndTheList(const std::string& page) {
    Replace("Page=1&", 1, page);
    ExpectWhole(List(Request()), page);

    Replace("Page=1&", kAttempts, page);
    const Listing listing = List(Request());
    EXPECT_EQ(Reason(listing.status), "UPSTREAM_MALFORMED_RESPONSE") << page;
    // Records before the defect are delivered.
    EXPECT_GE(listing.participants.size(), 5u) << page;
    EXPECT_LE(listing.participants.size(), 7u) << page;
  }

  const simulator::List list_{GetParam(), 12};
};

INSTANTIATE_TEST_SUITE_P(Apis, MalformedResponseTest,
                         ::testing::Values(Api::kVoiceInsights, Api::kVideoInsights,
                                           Api::kSignalWire, Api::kTwilioCore));

TEST_P(MalformedResponseTest, UnreadableRecordDoesNotEndTheList) {
  using Value = v1::UnrecognizedValue;
  const std::string whole = simulator::ParticipantJson(list_, 7);
  const std::pair<std::string, Value::Kind> records[] = {
      {absl::StrCat(R"({"x":"\ud83d",)", whole.substr(1)), Value::KIND_UNKNOWN_FIELD},
      {absl::StrCat("{\"x\":\"\xff\",", whole.substr(1)), Value::KIND_UNKNOWN_FIELD},
      {absl::StrCat(R"({"x":NaN,)", whole.substr(1)), Value::KIND_UNKNOWN_FIELD},
      {R"({"x" 1})", Value::KIND_UNPARSABLE_RECORD},
  };
  for (const auto& [record, kind] : records) {
    const std::string page = absl::StrCat("[", simulator::ParticipantJson(list_, 5), ",", record,
                                          ",", simulator::ParticipantJson(list_, 8), "]");
    Replace("Page=1&", 1, Object({Array(page), Link("null")}));
    const Listing listing = List(Request());
    EXPECT_TRUE(listing.status.ok()) << record << listing.status.error_message();
    ASSERT_THAT(listing.participants, SizeIs(8)) << record;
    ASSERT_EQ(listing.participants[6].unrecognized_size(), 1) << record;
    EXPECT_EQ(listing.participants[6].unrecognized(0).kind(), kind) << record;
    EXPECT_EQ(simulator::SidOf(listing.participants[7]), simulator::ParticipantSid(list_, 8));
  }
}

TEST_P(MalformedResponseTest, PageWithoutLinkDoesNotEndTheList) {
  for (const std::string& page : PagesWithoutALink()) ExpectDoesNotEndTheList(page);
}

TEST_P(MalformedResponseTest, PageWithoutArrayDoesNotEndTheList) {
  for (const std::string& page : PagesWithoutAnArray()) ExpectDoesNotEndTheList(page);
}

TEST_P(MalformedResponseTest, NullAndEmptyLinksEndTheListAndNullArrayIsEmpty) {
  struct Case {
    std::string page;
    size_t records;  // of the first page and this one
  };
  for (const auto& [page, records] : {Case{Object({Array(Records()), Link("null")}), 7},
                                      Case{Object({Link("\"\""), Array(Records())}), 7},
                                      Case{Object({Link(" null "), Array("[]")}), 5},
                                      Case{Object({Array("null"), Link("null")}), 5},
                                      Case{Object({Link("\"\""), Array(" null")}), 5}}) {
    Replace("Page=1&", 1, page);
    const Listing listing = List(Request());
    EXPECT_TRUE(listing.status.ok()) << page << listing.status.error_message();
    EXPECT_THAT(listing.participants, SizeIs(records)) << page;
    EXPECT_EQ(listing.trailers.at("rollcall-attempts"), "2") << page;
  }
}

// The page where a resumed list begins may be malformed too.
TEST_P(MalformedResponseTest, ResumesAfterPageIsRefetched) {
  simulator_->InjectFaults(nullptr);
  std::vector<std::string> tokens;
  {
    grpc::ClientContext context;
    const auto reader = stub().ListParticipants(&context, Request());
    v1::ListParticipantsResponse response;
    while (reader->Read(&response)) tokens.push_back(response.resume_token());
    ASSERT_TRUE(reader->Finish().ok());
  }
  v1::ListParticipantsRequest request = Request();
  request.set_resume_token(tokens[6]);  // the second of its page
  for (const std::string& page : {Object({Array("[]")}), Object({Array(Records())}),
                                  Object({Link("null")}), std::string("<html>")}) {
    Replace("Page=1&", 1, page);
    const Listing listing = List(request);
    EXPECT_TRUE(listing.status.ok()) << page << listing.status.error_message();
    ASSERT_THAT(listing.participants, SizeIs(5)) << page;
    EXPECT_EQ(simulator::SidOf(listing.participants[0]), simulator::ParticipantSid(list_, 7));
  }
}

// A null array does not end the list.
TEST_P(MalformedResponseTest, PageWithNullArrayContinues) {
  simulator_->InjectFaults([](const simulator::Request& request) {
    Fault fault;
    if (absl::StrContains(request.target, "Page=1&")) {
      fault.edit_body = [](const std::string& body) {
        const size_t begin = body.find('[', body.find("\"participants\""));
        size_t end = begin;
        int depth = 0;
        do {
          if (body[end] == '[') ++depth;
          if (body[end] == ']') --depth;
          ++end;
        } while (depth > 0);
        return body.substr(0, begin) + "null" + body.substr(end);
      };
    }
    return fault;
  });
  const Listing listing = List(Request());
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  EXPECT_THAT(listing.participants, SizeIs(7));
}

TEST_P(MalformedResponseTest, GetRetriesAndRejectsOtherDocuments) {
  const std::string participant = simulator::ParticipantJson(list_, 3);
  std::vector<std::string> bodies = PagesWithoutAnArray();
  bodies.insert(bodies.end(),
                {R"({"code":20404,"message":"The requested resource was not found",)"
                 R"("more_info":"https://www.twilio.com/docs/errors/20404","status":404})",
                 R"({"type":"about:blank","title":"Gone","status":404,"detail":"gone"})",
                 R"({"errors":[{"code":"404","message":"gone"}]})", R"({"status":"failed"})",
                 R"({"message":"gone","url":"https://x","uri":"/x"})",
                 Object({Array(absl::StrCat("[", participant, "]")), Link("null")}),
                 absl::StrCat("[", participant, "]"), absl::StrCat(participant, participant),
                 absl::StrCat(participant, "x"), participant.substr(0, participant.size() - 1),
                 absl::StrCat("\xEF\xBB\xBF{\"x\":1}")});
  for (const std::string& body : bodies) {
    Replace(ListSid(list_), 1, body);
    v1::Participant whole;
    const grpc::Status passing = Get(GetRequestFor(list_, 3), whole);
    EXPECT_TRUE(passing.ok()) << body << passing.error_message();
    EXPECT_EQ(simulator::SidOf(whole), simulator::ParticipantSid(list_, 3)) << body;

    Replace(ListSid(list_), kAttempts, body);
    v1::Participant none;
    const grpc::Status status = Get(GetRequestFor(list_, 3), none);
    EXPECT_EQ(Reason(status), "UPSTREAM_MALFORMED_RESPONSE") << body;
    EXPECT_EQ(none.record_case(), v1::Participant::RECORD_NOT_SET) << body;
    EXPECT_THAT(status.error_message(), Not(HasSubstr("gone"))) << body;
  }
}

// Such a document is malformed, not drift, so the request is retried.
TEST_P(MalformedResponseTest, StrictGetRejectsOtherDocumentsAsMalformed) {
  nlohmann::json upstreams = Configuration()["upstreams"];
  for (nlohmann::json& upstream : upstreams) upstream["strict"] = true;
  StartDaemon({{"upstreams", upstreams}});
  Replace(ListSid(list_), kAttempts, R"({"code":20404,"message":"gone"})");
  v1::Participant none;
  EXPECT_EQ(Reason(Get(GetRequestFor(list_, 3), none)), "UPSTREAM_MALFORMED_RESPONSE");
}

// A status other than 200 is final even if the head does not give the body's length.
TEST_P(MalformedResponseTest, UnexpectedStatusIsNotRetried) {
  for (const int status : {204, 302, 304}) {
    simulator_->InjectFaults([status](const simulator::Request&) {
      Fault fault = simulator::Respond(status);
      fault.until_close = true;
      return fault;
    });
    const size_t before = simulator_->requests().size();
    v1::Participant none;
    EXPECT_EQ(Reason(Get(GetRequestFor(list_, 3), none)), "UPSTREAM_MALFORMED_RESPONSE") << status;
    EXPECT_EQ(Reason(List(Request()).status), "UPSTREAM_MALFORMED_RESPONSE") << status;
    EXPECT_EQ(simulator_->requests().size(), before + 2) << status;
  }
}

TEST_P(MalformedResponseTest, GetEnforcesMaxJsonDepth) {
  const auto nested = [this](int depth) {  // the record itself is the first level
    const size_t inner = static_cast<size_t>(depth - 1);
    return absl::StrCat(R"({"conference_sid":null,"room_sid":null,"x":)", std::string(inner, '['),
                        R"("]}{[")", std::string(inner, ']'), "}");
  };
  StartDaemon({{"limits", {{"max_json_depth", 10}}}});
  Replace(ListSid(list_), 1, nested(10));
  v1::Participant participant;
  EXPECT_TRUE(Get(GetRequestFor(list_, 3), participant).ok());
  for (const int depth : {11, 2000, 100000}) {
    Replace(ListSid(list_), 1, nested(depth));
    const grpc::Status status = Get(GetRequestFor(list_, 3), participant);
    EXPECT_EQ(Reason(status), "UPSTREAM_LIMIT_EXCEEDED") << depth;
    EXPECT_THAT(status.error_message(), HasSubstr("max_json_depth")) << depth;
  }
}

}  // namespace
}  // namespace rollcall
