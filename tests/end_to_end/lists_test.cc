// Lists and single participants of every provider arrive complete, in order and as requested.
#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "tests/end_to_end/end_to_end.h"
#include "tests/simulator/sid_of.h"

namespace rollcall {
namespace {

using simulator::Api;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

std::string NameOf(Api api) {
  switch (api) {
    case Api::kVoiceInsights:
      return "VoiceInsights";
    case Api::kVideoInsights:
      return "VideoInsights";
    case Api::kSignalWire:
      return "SignalWire";
    case Api::kTwilioCore:
      return "TwilioCore";
  }
  return "";
}

class EveryProviderTest : public EndToEndTest, public ::testing::WithParamInterface<Api> {};

INSTANTIATE_TEST_SUITE_P(Lists, EveryProviderTest,
                         ::testing::Values(Api::kVoiceInsights, Api::kVideoInsights,
                                           Api::kSignalWire, Api::kTwilioCore),
                         [](const auto& param_info) { return NameOf(param_info.param); });

TEST_P(EveryProviderTest, WalksAllPagesInOrder) {
  const simulator::List list(GetParam(), 2345);
  for (const int page_size : {0, 1000, 100, 5000}) {
    v1::ListParticipantsRequest request = RequestFor(list);
    request.set_page_size(page_size);
    const Listing listing = List(request);
    ASSERT_TRUE(listing.status.ok()) << listing.status.error_message();
    ASSERT_EQ(listing.participants.size(), 2345u) << page_size;
    for (int64_t i = 0; i < 2345; ++i) {
      ASSERT_EQ(simulator::SidOf(listing.participants[i]), ParticipantSid(list, i)) << i;
    }
    EXPECT_THAT(listing.trailers, Contains(Pair("rollcall-records", "2345")));
    EXPECT_THAT(listing.trailers, Contains(Pair("rollcall-pages", page_size == 100 ? "24" : "3")));
  }
}

TEST_P(EveryProviderTest, EmptyListIsComplete) {
  const Listing listing = List(RequestFor({GetParam(), 0}));
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  EXPECT_TRUE(listing.participants.empty());
}

TEST_P(EveryProviderTest, GetReturnsTheSameRecordAsTheList) {
  const simulator::List list(GetParam(), 5);
  const Listing listing = List(RequestFor(list));
  ASSERT_EQ(listing.participants.size(), 5u);
  for (int64_t i = 0; i < 5; ++i) {
    v1::GetParticipantRequest request;
    const std::string id = ParticipantSid(list, i);
    if (GetParam() == Api::kVoiceInsights) {
      request.mutable_conference_participant_summary()->set_conference_sid(ListSid(list));
      request.mutable_conference_participant_summary()->set_participant_sid(id);
    } else if (GetParam() == Api::kVideoInsights) {
      request.mutable_room_participant_summary()->set_room_sid(ListSid(list));
      request.mutable_room_participant_summary()->set_participant_sid(id);
    } else {
      request.set_upstream(GetParam() == Api::kSignalWire ? "signalwire" : "twilio");
      request.mutable_live_participant()->set_conference_sid(ListSid(list));
      request.mutable_live_participant()->set_call_sid(id);
    }
    v1::Participant participant;
    const grpc::Status status = Get(request, participant);
    ASSERT_TRUE(status.ok()) << status.error_message();
    EXPECT_TRUE(
        google::protobuf::util::MessageDifferencer::Equals(participant, listing.participants[i]))
        << participant.DebugString() << listing.participants[i].DebugString();
  }
}

TEST_P(EveryProviderTest, LimitIsExactAndEndsTheTransfer) {
  for (const int64_t limit : {1, 99, 100, 101, 250}) {
    v1::ListParticipantsRequest request = RequestFor({GetParam(), 250});
    request.set_page_size(100);
    request.set_limit(limit);
    const Listing listing = List(request);
    EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
    EXPECT_EQ(static_cast<int64_t>(listing.participants.size()), limit);
    EXPECT_THAT(listing.trailers,
                Contains(Pair("rollcall-pages", std::to_string((limit + 99) / 100))));
  }
}

TEST_P(EveryProviderTest, ReadMaskSelectsFields) {
  v1::ListParticipantsRequest request = RequestFor({GetParam(), 50});
  const std::string account = "account_sid";
  request.mutable_read_mask()->add_paths(account);
  const Listing whole = List(RequestFor({GetParam(), 50}));
  const Listing narrow = List(request);
  ASSERT_EQ(narrow.participants.size(), 50u);
  for (size_t i = 0; i < narrow.participants.size(); ++i) {
    const auto account_only = [](const v1::Participant& participant) {
      v1::Participant only;
      if (participant.has_conference_participant_summary()) {
        only.mutable_conference_participant_summary()->set_account_sid(
            participant.conference_participant_summary().account_sid());
      } else if (participant.has_room_participant_summary()) {
        only.mutable_room_participant_summary()->set_account_sid(
            participant.room_participant_summary().account_sid());
      } else {
        only.mutable_live_participant()->set_account_sid(
            participant.live_participant().account_sid());
      }
      return only;
    };
    EXPECT_EQ(narrow.participants[i].ShortDebugString(),
              account_only(whole.participants[i]).ShortDebugString());
  }
}

// The tests below are specific to one provider.
class FiltersTest : public EndToEndTest {
 protected:
  // The query of the last request at the provider.
  std::string LastTarget() const { return simulator_->requests().back().target; }
};

TEST_F(FiltersTest, ConferenceFiltersAreSentForEveryPage) {
  v1::ListParticipantsRequest request = ConferenceRequest(3000);
  auto& query = *request.mutable_conference_participant_summaries();
  query.set_events("mute");
  request.set_page_size(50);
  const Listing listing = List(request);
  ASSERT_TRUE(listing.status.ok()) << listing.status.error_message();
  ASSERT_GT(listing.participants.size(), 50u);
  EXPECT_LT(listing.participants.size(), 3000u);
  for (const auto& participant : listing.participants) {
    EXPECT_TRUE(participant.conference_participant_summary().events().contains("mute"));
  }
  for (const auto& seen : simulator_->requests()) {
    EXPECT_THAT(seen.target, HasSubstr("Events=mute"));
  }
}

TEST_F(FiltersTest, LabelAndParticipantSidAreSent) {
  const simulator::List list(Api::kVoiceInsights, 200);
  int64_t labelled = 0;
  while (!ParticipantLabel(list, labelled) || ParticipantLabel(list, labelled)->empty()) ++labelled;
  v1::ListParticipantsRequest request = RequestFor(list);
  request.mutable_conference_participant_summaries()->set_label(*ParticipantLabel(list, labelled));
  Listing listing = List(request);
  ASSERT_TRUE(listing.status.ok()) << listing.status.error_message();
  ASSERT_FALSE(listing.participants.empty());
  EXPECT_EQ(simulator::SidOf(listing.participants[0]), ParticipantSid(list, labelled));

  request = RequestFor(list);
  request.mutable_conference_participant_summaries()->set_participant_sid(ParticipantSid(list, 7));
  listing = List(request);
  ASSERT_EQ(listing.participants.size(), 1u);
  EXPECT_EQ(simulator::SidOf(listing.participants[0]), ParticipantSid(list, 7));
}

TEST_F(FiltersTest, SpecialCharactersInLabelAreEncoded) {
  const std::string label = "a&PageSize=1#?/../\r\nX: y\t\"%00 \xC3\xA9";
  v1::ListParticipantsRequest request = ConferenceRequest(10);
  request.mutable_conference_participant_summaries()->set_label(label);
  const Listing listing = List(request);
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  EXPECT_THAT(LastTarget(),
              HasSubstr("Label=a%26PageSize%3D1%23%3F%2F..%2F%0D%0AX%3A%20y%09%22%2500"
                        "%20%C3%A9&PageSize=1000"));
}

TEST_F(FiltersTest, LiveFiltersAreSent) {
  for (const Api api : {Api::kSignalWire, Api::kTwilioCore}) {
    const simulator::List list(api, 500);
    for (const bool wanted : {true, false}) {
      v1::ListParticipantsRequest request = RequestFor(list);
      request.mutable_live_participants()->set_muted(wanted);
      request.mutable_live_participants()->set_hold(!wanted);
      const Listing listing = List(request);
      ASSERT_TRUE(listing.status.ok()) << listing.status.error_message();
      EXPECT_FALSE(listing.participants.empty());
      for (const auto& participant : listing.participants) {
        EXPECT_EQ(participant.live_participant().muted(), wanted);
        EXPECT_EQ(participant.live_participant().hold(), !wanted);
      }
    }
  }
  v1::ListParticipantsRequest request = RequestFor({Api::kTwilioCore, 500});
  request.mutable_live_participants()->set_coaching(true);
  const Listing listing = List(request);
  ASSERT_TRUE(listing.status.ok()) << listing.status.error_message();
  EXPECT_FALSE(listing.participants.empty());
  for (const auto& participant : listing.participants) {
    EXPECT_TRUE(participant.live_participant().coaching());
  }
}

TEST_F(FiltersTest, ListBeginsAtTheRequestedPage) {
  v1::ListParticipantsRequest request = ConferenceRequest(30);
  request.set_page_size(10);
  ASSERT_TRUE(List(request).status.ok());
  const std::string second = simulator_->requests().at(1).target;
  const size_t token = second.find("PageToken=") + 10;
  auto& page = *request.mutable_provider_page();
  page.set_page(1);
  page.set_page_token(second.substr(token, second.find('&', token) - token));
  const Listing listing = List(request);
  ASSERT_TRUE(listing.status.ok()) << listing.status.error_message();
  ASSERT_EQ(listing.participants.size(), 20u);
  EXPECT_EQ(simulator::SidOf(listing.participants[0]),
            ParticipantSid(simulator::List(Api::kVoiceInsights, 30), 10));
}

TEST_F(FiltersTest, GetFindsLiveParticipantByLabel) {
  const simulator::List list(Api::kTwilioCore, 100);
  int64_t index = 0;
  while (!ParticipantLabel(list, index) || ParticipantLabel(list, index)->empty()) ++index;
  v1::GetParticipantRequest request;
  request.set_upstream("twilio");
  request.mutable_live_participant()->set_conference_sid(ListSid(list));
  request.mutable_live_participant()->set_call_sid(*ParticipantLabel(list, index));
  v1::Participant participant;
  const grpc::Status status = Get(request, participant);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(participant.live_participant().label(), *ParticipantLabel(list, index));
}

TEST_F(FiltersTest, PageSizeIsBoundedByLimitAndProviderMaximum) {
  v1::ListParticipantsRequest request = ConferenceRequest(10);
  request.set_page_size(4000);
  List(request);
  EXPECT_THAT(LastTarget(), HasSubstr("PageSize=1000"));
  request.set_limit(300);
  List(request);
  EXPECT_THAT(LastTarget(), HasSubstr("PageSize=300"));
  request.set_limit(3);  // longer than the limit, so the page size stays
  List(request);
  EXPECT_THAT(LastTarget(), HasSubstr("PageSize=50"));
}

}  // namespace
}  // namespace rollcall
