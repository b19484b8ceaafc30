// Where a page says that its list goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "service/provider/participant_api.h"

namespace rollcall {
namespace {

using ::testing::HasSubstr;

constexpr char kSid[] = "CF0123456789abcdef0123456789abcdef";

std::string Read(const ParticipantApi& api, absl::string_view member) {
  const auto link = ReadNextLink(api.page_layout(), member);
  if (link.ok()) return *link;
  EXPECT_EQ(ReasonOf(link.status()), v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE) << member;
  return "malformed";
}

TEST(NextLink, IsText) {
  EXPECT_EQ(
      Read(TwilioVoiceInsights(), R"({"page":0,"next_page_url":"https:\/\/h\/p?a=1\u0026b"})"),
      "https://h/p?a=1&b");
  EXPECT_EQ(Read(SignalWire(), R"("/api/laml/x")"), "/api/laml/x");
}

TEST(NextLink, NullAndEmptyAreTheEnd) {
  for (const char* end : {"null", R"("")"}) {
    EXPECT_EQ(Read(TwilioCore(), end), "");
    EXPECT_EQ(Read(TwilioVideoInsights(), absl::StrCat(R"({"next_page_url":)", end, "}")), "");
  }
}

TEST(NextLink, AllElseIsMalformed) {
  for (const char* other : {"1", "true", "[]", "{}", "nul", "", R"("/x)", "\"\xFF\""}) {
    EXPECT_EQ(Read(SignalWire(), other), "malformed") << other;
    EXPECT_EQ(Read(TwilioVoiceInsights(), absl::StrCat(R"({"next_page_url":)", other, "}")),
              "malformed")
        << other;
  }
  for (const char* meta :
       {"null", "{}", "[]", R"("next_page_url")", R"({"next_page_uri":null})",
        R"({"x":{"next_page_url":null}})", R"({"next_page_url":null,"next_page_url":"/x"})",
        R"({"next_page_url":"/x","next_page_url":null})",
        R"({"next_page_url":null,"next\u005fpage_url":null})"}) {
    EXPECT_EQ(Read(TwilioVoiceInsights(), meta), "malformed") << meta;
  }
}

TEST(NextLink, ErrorsNameTheMember) {
  const auto named = [](const ParticipantApi& api, absl::string_view member) {
    return std::string(ReadNextLink(api.page_layout(), member).status().message());
  };
  EXPECT_THAT(named(TwilioVoiceInsights(), "{}"), HasSubstr("has no \"meta.next_page_url\""));
  EXPECT_THAT(named(TwilioCore(), "1"), HasSubstr("has no readable \"next_page_uri\""));
}

TEST(NextLink, ToAnotherListIsTold) {
  v1::ListParticipantsRequest request;
  request.mutable_conference_participant_summaries()->set_conference_sid(kSid);
  const RequestedId conference = TwilioVoiceInsights().IdsOf(request).front();
  for (const char* other :
       {"https://h/v1/Conferences/CF0123456789abcdef0123456789abcdee/Participants?Page=1",
        "https://h/v1/Conferences/CF0123456789abcdef0123456789abcdee/Participants",
        "https://h/2010/Accounts/x/Conferences/CF0123456789abcdef0123456789abcdee/"
        "Participants.json?Page=1"}) {
    EXPECT_TRUE(LeadsToAnotherList(other, conference)) << other;
  }
  for (const char* same :
       {"https://h/v1/Conferences/CF0123456789ABCDEF0123456789abcdef/Participants?Page=1",
        "https://h/v1/Conferences/the_same/Participants?Page=1", "https://h/pages/2", "https://h",
        "/Participants", "https://h/page?x=/CF0123456789abcdef0123456789abcdee/Participants",
        "https://h/v1/Conferences/CF0123456789abcdef0123456789abcdee/Members?Page=1"}) {
    EXPECT_FALSE(LeadsToAnotherList(same, conference)) << same;
  }
}

}  // namespace
}  // namespace rollcall
