// Reading the link to the next page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "service/provider/participant_api.h"

namespace rollcall::service {
namespace {

using ::testing::HasSubstr;

constexpr char kSid[] = "CF0123456789abcdef0123456789abcdef";

std::string Read(const ParticipantApi& api, absl::string_view member) {
  const auto link = ReadNextLink(api.page_layout(), member);
  if (link.ok()) return *link;
  EXPECT_EQ(ReasonOf(link.status()), v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE) << member;
  return "malformed";
}

TEST(NextLink, ReadsTheLink) {
  EXPECT_EQ(
      Read(TwilioVoiceInsights(), R"({"page":0,"next_page_url":"https:\/\/h\/p?a=1\u0026b"})"),
      "https://h/p?a=1&b");
  EXPECT_EQ(Read(SignalWire(), R"("/api/laml/x")"), "/api/laml/x");
}

TEST(NextLink, NullAndEmptyEndTheList) {
  for (const char* end : {"null", R"("")"}) {
    EXPECT_EQ(Read(TwilioCore(), end), "");
    EXPECT_EQ(Read(TwilioVideoInsights(), absl::StrCat(R"({"next_page_url":)", end, "}")), "");
  }
}

TEST(NextLink, AnythingElseIsMalformed) {
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

TEST(NextLink, IsReadBesideValuesThatAreNot) {
  for (const char* other : {"1e999", "18446744073709551616", "NaN", "\"\xff\"", R"("\ud83d")"}) {
    EXPECT_EQ(Read(TwilioVoiceInsights(),
                   absl::StrCat(R"({"page":)", other, R"(,"next_page_url":"/x"})")),
              "/x");
    EXPECT_EQ(Read(TwilioVoiceInsights(), absl::StrCat(R"({"page":)", other, "}")), "malformed");
  }
}

// nlohmann's parser takes a zero byte for the end of the text.
TEST(NextLink, IsNotCutAtAZeroByte) {
  EXPECT_EQ(Read(TwilioCore(), absl::string_view("null\0\"/x\"", 9)), "malformed");
  EXPECT_EQ(Read(TwilioCore(), "\xEF\xBB\xBFnull"), "malformed");
}

TEST(NextLink, ErrorsNameTheMember) {
  const auto named = [](const ParticipantApi& api, absl::string_view member) {
    return std::string(ReadNextLink(api.page_layout(), member).status().message());
  };
  EXPECT_THAT(named(TwilioVoiceInsights(), "{}"), HasSubstr("has no \"meta.next_page_url\""));
  EXPECT_THAT(named(TwilioCore(), "1"), HasSubstr("has no readable \"next_page_uri\""));
}

TEST(NextLink, DetectsLinksToAnotherList) {
  v1::ListParticipantsRequest request;
  request.mutable_conference_participant_summaries()->set_conference_sid(kSid);
  const RequestedId conference = TwilioVoiceInsights().IdsOf(request).front();
  const std::string list = absl::StrCat("https://h/v1/Conferences/", kSid, "/Participants?x=/a/b");
  for (const char* other :
       {"/v1/Video/Rooms/RM0123456789abcdef0123456789abcdef/Participants?Page=1",
        "https://h/v1/Conferences/CF0123456789abcdef0123456789abcdee/Participants?Page=1",
        "https://h/v1/Conferences/CF0123456789abcdef0123456789abcdee/Participants",
        "https://h/2010/Accounts/x/Conferences/CF0123456789abcdef0123456789abcdee/"
        "Participants.json?Page=1"}) {
    EXPECT_TRUE(LeadsToAnotherList(other, list, conference)) << other;
  }
  for (const char* same :
       {"https://h/v1/Conferences/CF0123456789ABCDEF0123456789abcdef/Participants?Page=1",
        "https://h/v1/Conferences/the_same/Participants?Page=1", "https://h/pages/2", "https://h",
        "/Participants", "https://h/page?x=/CF0123456789abcdef0123456789abcdee/Participants",
        "https://h/v1/Conferences/CF0123456789abcdef0123456789abcdee/Members?Page=1"}) {
    EXPECT_FALSE(LeadsToAnotherList(same, list, conference)) << same;
  }
}

TEST(NextLink, ComparesEveryKindOfId) {
  v1::ListParticipantsRequest room;
  room.mutable_room_participant_summaries()->set_room_sid("RM0123456789abcdef0123456789abcdef");
  const RequestedId room_id = TwilioVideoInsights().IdsOf(room).front();
  EXPECT_TRUE(LeadsToAnotherList("/v1/Video/Rooms/RM0123456789abcdef0123456789abcdee/Participants",
                                 "/v1/Video/Rooms/RM0123456789abcdef0123456789abcdef/Participants",
                                 room_id));
  v1::ListParticipantsRequest live;
  live.mutable_live_participants()->set_conference_sid("b3877c40-da60-4998-90ad-b792e98472cf");
  const RequestedId uuid = SignalWire().IdsOf(live).front();
  const std::string path = "/api/laml/2010-04-01/Accounts/b3877c40-da60-4998-90ad-b792e98472af/";
  const std::string list = path + "Conferences/b3877c40-da60-4998-90ad-b792e98472cf/Participants";
  EXPECT_TRUE(LeadsToAnotherList(
      path + "Conferences/b3877c40-da60-4998-90ad-b792e98472c0/Participants", list, uuid));
  EXPECT_FALSE(LeadsToAnotherList(
      path + "Conferences/B3877C40-DA60-4998-90AD-B792E98472CF/Participants.json", list, uuid));
}

}  // namespace
}  // namespace rollcall::service
