// Whatever breaks upstream, the caller has exactly the list, or an error and a token from which
// exactly the rest arrives.
#include <gmock/gmock.h>

#include <atomic>
#include <random>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/end_to_end/recovery.h"

namespace rollcall {
namespace {

using simulator::Api;
using simulator::Fault;
using simulator::Request;
using ::testing::Contains;
using ::testing::Pair;

INSTANTIATE_TEST_SUITE_P(Routes, RecoveryTest, ::testing::ValuesIn(kRoutes),
                         [](const auto& param_info) { return NameOf(param_info.param); });

TEST_P(RecoveryTest, EveryTokenResumesAfterItsRecord) {
  for (const Api api : {Api::kVoiceInsights, Api::kSignalWire, Api::kTwilioCore}) {
    const simulator::List list(api, 30);
    v1::ListParticipantsRequest request = RequestFor(list);
    request.set_page_size(7);
    const Reading whole = Read(request);
    ASSERT_TRUE(whole.status.ok()) << whole.status.error_message();
    ASSERT_EQ(whole.ids, Ids(list));
    for (size_t i = 0; i < whole.ids.size(); ++i) {
      v1::ListParticipantsRequest rest = request;
      rest.set_resume_token(whole.tokens[i]);
      const Reading reading = Read(rest);
      EXPECT_TRUE(reading.status.ok()) << reading.status.error_message();
      ASSERT_EQ(reading.ids, Ids(list, static_cast<int64_t>(i) + 1)) << i;
    }
  }
}

TEST_P(RecoveryTest, TokenIsValidOnlyForItsListAndFilters) {
  v1::ListParticipantsRequest request = ConferenceRequest(400);
  request.set_page_size(20);
  request.mutable_conference_participant_summaries()->set_events("mute");
  const Reading whole = Read(request);
  ASSERT_TRUE(whole.status.ok());
  ASSERT_GT(whole.ids.size(), 40u);
  v1::ListParticipantsRequest rest = request;
  rest.set_resume_token(whole.tokens[30]);
  // Page size, read mask and limit may change.
  rest.set_page_size(0);
  rest.mutable_read_mask()->add_paths("participant_sid");
  rest.set_limit(5);
  EXPECT_EQ(Read(rest).ids,
            std::vector<std::string>(whole.ids.begin() + 31, whole.ids.begin() + 36));

  for (const auto& change : std::vector<std::function<void(v1::ListParticipantsRequest&)>>{
           [](auto& other) {
             other.mutable_conference_participant_summaries()->set_events("hold");
           },
           [](auto& other) { other.mutable_conference_participant_summaries()->clear_events(); },
           [](auto& other) {
             other.mutable_conference_participant_summaries()->set_conference_sid(kSeedConference);
           }}) {
    v1::ListParticipantsRequest other = rest;
    change(other);
    const Listing refused = List(other);
    EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(ViolatedFields(refused.status), std::vector<std::string>{"resume_token"});
  }
}

TEST_P(RecoveryTest, AnotherReplicaAcceptsTheToken) {
  const simulator::List list(Api::kVoiceInsights, 30);
  v1::ListParticipantsRequest request = RequestFor(list);
  request.set_page_size(10);
  const Reading begun = Read(request, 15);
  daemon_->Signal(9);
  StartDaemon();
  request.set_resume_token(begun.tokens.back());
  EXPECT_EQ(Read(request).ids, Ids(list, 15));
}

TEST_P(RecoveryTest, TokenOfAVanishedParticipantIsAnError) {
  const simulator::List list(Api::kSignalWire, 10);
  v1::ListParticipantsRequest request = RequestFor(list);
  const Reading whole = Read(request);
  // The page no longer contains the token's participant.
  simulator_->InjectFaults([&](const Request&) {
    Fault fault;
    fault.edit_body = [&](std::string body) {
      const std::string gone = ParticipantJson(list, 5) + ",";
      const size_t at = body.find(gone);
      EXPECT_NE(at, std::string::npos);
      return body.erase(at, gone.size());
    };
    return fault;
  });
  request.set_resume_token(whole.tokens[5]);
  const Listing listing = List(request);
  EXPECT_EQ(listing.status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_LIST_CHANGED");
  EXPECT_TRUE(listing.participants.empty());
}

TEST_P(RecoveryTest, PageCutAtAnyByteArrivesOnceInOrder) {
  const simulator::List list(Api::kVoiceInsights, 4);
  v1::ListParticipantsRequest request = RequestFor(list);
  request.set_page_size(2);
  std::atomic<size_t> size = 0;
  simulator_->InjectFaults([&](const Request&) {
    Fault fault;
    fault.edit_body = [&](std::string body) {
      size = body.size();
      return body;
    };
    return fault;
  });
  ASSERT_TRUE(Read(request).status.ok());
  // Offsets in the second page: in steps that keep the test short, and near its end all of them.
  for (size_t cut = 0; cut < size; cut += cut + 200 < size ? 7 : 1) {
    Fault fault;
    fault.cut_after = cut;
    InjectFault("PageToken", 1, fault);
    SCOPED_TRACE(cut);
    const Reading reading = ExpectExactly(request, Ids(list));
    ASSERT_TRUE(reading.status.ok()) << reading.status.error_message();
  }
}

TEST_P(RecoveryTest, ReplayedRecordsAreSkippedAndCounted) {
  const simulator::List list(Api::kVoiceInsights, 100);
  Fault fault;
  fault.cut_after = 60000;
  InjectFault("Participants", 3, fault);
  const Reading reading = Read(RequestFor(list));
  EXPECT_TRUE(reading.status.ok()) << reading.status.error_message();
  EXPECT_EQ(reading.ids, Ids(list));
  EXPECT_THAT(reading.trailers, Contains(Pair("rollcall-attempts", "4")));
  EXPECT_GT(std::stoi(reading.trailers.at("rollcall-duplicates-suppressed")), 30);
}

TEST_P(RecoveryTest, ShortFaultsAreNotNoticed) {
  const simulator::List list(Api::kTwilioCore, 25);
  v1::ListParticipantsRequest request = RequestFor(list);
  request.set_page_size(10);
  Fault cut_before_head;
  cut_before_head.cut_before_head = true;
  Fault retry_after = simulator::Respond(429, R"({"code":20429})");
  retry_after.answer->headers.emplace_back("Retry-After", "1");
  for (const Fault& fault :
       {simulator::Respond(503, "<html>busy</html>"), simulator::Respond(500),
        simulator::Respond(502), simulator::Respond(504), cut_before_head, retry_after}) {
    for (const char* part : {"PageSize=10", "Page=1", "Page=2"}) {
      InjectFault(part, 1, fault);
      const Reading reading = Read(request);
      EXPECT_TRUE(reading.status.ok()) << part << reading.status.error_message();
      ASSERT_EQ(reading.ids, Ids(list)) << part;
    }
  }
}

TEST_P(RecoveryTest, PersistentFaultEndsTheListWithToken) {
  const simulator::List list(Api::kVoiceInsights, 25);
  v1::ListParticipantsRequest request = RequestFor(list);
  request.set_page_size(10);
  Fault fault;
  fault.cut_after = 8000;  // some records of each attempt, always the same ones
  InjectFault("Page=1", 1000, fault);
  const Reading begun = ExpectExactly(request, Ids(list));
  EXPECT_EQ(begun.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Reason(begun.status), "UPSTREAM_UNREACHABLE");
  EXPECT_GE(begun.ids.size(), 10u);
}

TEST_P(RecoveryTest, LinkOfAFailedAttemptIsNotFollowed) {
  // The first attempt has a link to a second page and breaks off. By the second attempt, the list
  // has shrunk to one page.
  const std::string path =
      "/2010-04-01/Accounts/ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/Conferences/"
      "CF00000000000000000000000000000001/Participants.json";
  simulator_->AddPage(
      path, R"({"participants":[{"call_sid":"a"},{"call_sid":"b"}],"next_page_uri":null})");
  simulator_->AddPage(path + "?Page=1", R"({"participants":[{"call_sid":"stale"}]})");
  auto first = std::make_shared<std::atomic<bool>>(true);
  simulator_->InjectFaults([=](const Request& request) {
    Fault fault;
    if (absl::StrContains(request.target, "PageSize") && first->exchange(false)) {
      fault.edit_body = [=](const std::string&) {
        return absl::StrCat(R"({"next_page_uri":")", path,
                            R"(?Page=1","participants":[{"call_sid":"a"},)", std::string(500, ' '));
      };
      fault.cut_after = 400;
    }
    return fault;
  });
  v1::ListParticipantsRequest request;
  request.set_upstream("twilio");
  request.mutable_live_participants()->set_conference_sid("CF00000000000000000000000000000001");
  const Reading reading = Read(request);
  EXPECT_TRUE(reading.status.ok()) << reading.status.error_message();
  EXPECT_EQ(reading.ids, (std::vector<std::string>{"a", "b"}));
}

TEST_P(RecoveryTest, PermanentErrorsAreNotRetried) {
  for (const int status : {400, 401, 403, 404, 405}) {
    simulator_->InjectFaults([status](const Request&) { return simulator::Respond(status); });
    const size_t before = simulator_->requests().size();
    EXPECT_FALSE(List(ConferenceRequest(5)).status.ok());
    EXPECT_EQ(simulator_->requests().size(), before + 1) << status;
  }
}

TEST_P(RecoveryTest, GetIsRetried) {
  InjectFault("Participants", 2, simulator::Respond(503));
  v1::GetParticipantRequest request;
  request.mutable_conference_participant_summary()->set_conference_sid(kSeedConference);
  request.mutable_conference_participant_summary()->set_participant_sid(
      "CPaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  v1::Participant participant;
  EXPECT_TRUE(Get(request, participant).ok());
  EXPECT_EQ(simulator_->requests().size(), 3u);
}

TEST_P(RecoveryTest, PrefetchesTheNextPageBeforeThisOneIsComplete) {
  // The Insights envelope precedes the array: the link has arrived, the records have not.
  InjectFault("PageSize=10", 1, [] { return simulator::HoldAfter(800); }());
  v1::ListParticipantsRequest request = ConferenceRequest(20);
  request.set_page_size(10);
  grpc::ClientContext context;
  const auto reader = stub().ListParticipants(&context, request);
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  ASSERT_TRUE(simulator_->WaitForRequests(2));
  EXPECT_TRUE(absl::StrContains(simulator_->requests()[1].target, "Page=1"));
  simulator_->Release();
  v1::ListParticipantsResponse response;
  int count = 0;
  while (reader->Read(&response)) ++count;
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(count, 20);
}

TEST_P(RecoveryTest, WithoutPrefetchNextPageWaits) {
  StartDaemon({{"prefetch", false}});
  Fault fault;
  fault.hold_after = 800;
  InjectFault("PageSize=10", 1, fault);
  v1::ListParticipantsRequest request = ConferenceRequest(20);
  request.set_page_size(10);
  grpc::ClientContext context;
  const auto reader = stub().ListParticipants(&context, request);
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  // A prefetch would have been sent before this whole other list.
  ASSERT_TRUE(Read(ConferenceRequest(1)).status.ok());
  EXPECT_EQ(simulator_->requests().size(), 2u);
  simulator_->Release();
  v1::ListParticipantsResponse response;
  int count = 0;
  while (reader->Read(&response)) ++count;
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(count, 20);
}

TEST_P(RecoveryTest, LimitAtEndOfPagePreventsPrefetch) {
  v1::ListParticipantsRequest request = ConferenceRequest(50);
  request.set_page_size(10);
  request.set_limit(20);
  EXPECT_EQ(Read(request).ids.size(), 20u);
  EXPECT_EQ(simulator_->requests().size(), 2u);
}

// Random faults from one seed, until the list is complete: by retries within a call and tokens
// between calls.
class RandomFaultsTest : public RecoveryFixture,
                         public ::testing::WithParamInterface<std::tuple<Route, int>> {
 protected:
  Route route() const override { return std::get<Route>(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Routes, RandomFaultsTest,
                         ::testing::Combine(::testing::ValuesIn(kRoutes), ::testing::Range(0, 8)),
                         [](const auto& param_info) {
                           return absl::StrCat(NameOf(std::get<Route>(param_info.param)),
                                               "Schedules", std::get<int>(param_info.param));
                         });

TEST_P(RandomFaultsTest, EachParticipantArrivesOnceInOrder) {
  for (int schedule = 0; schedule < 25; ++schedule) {
    const unsigned seed = static_cast<unsigned>(std::get<int>(GetParam()) * 1000 + schedule);
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    auto random = std::make_shared<std::mt19937>(seed);
    auto mutex = std::make_shared<std::mutex>();
    simulator_->InjectFaults([=](const Request&) {
      const std::lock_guard lock(*mutex);
      Fault fault;
      switch ((*random)() % 8) {
        case 0:
          return simulator::Respond(503);
        case 1:
          return simulator::Respond(429);
        case 2:
          fault.cut_before_head = true;
          break;
        case 3:
        case 4:
          fault.cut_after = (*random)() % 16000;
          break;
        default:
          fault.piece_bytes = (*random)() % 3 == 0 ? 0 : 1 + (*random)() % 5000;
          fault.chunked = (*random)() % 2 == 0;
      }
      return fault;
    });
    const simulator::List list(Api::kVoiceInsights, 1 + static_cast<int64_t>(seed % 60));
    v1::ListParticipantsRequest request = RequestFor(list);
    request.set_page_size(1 + static_cast<int>(seed % 13));
    std::vector<std::string> ids;
    for (int call = 0; call < 100; ++call) {
      const Reading reading = Read(request);
      ids.insert(ids.end(), reading.ids.begin(), reading.ids.end());
      if (reading.status.ok()) break;
      if (!reading.tokens.empty()) request.set_resume_token(reading.tokens.back());
    }
    ASSERT_EQ(ids, Ids(list));
  }
}

}  // namespace
}  // namespace rollcall
