// The provider's page token has expired: rollcalld restarts the list and skips to the same
// position, if that is exact.
#include <gmock/gmock.h>

#include <atomic>

#include "absl/strings/match.h"
#include "tests/end_to_end/end_to_end.h"

namespace rollcall {
namespace {

using simulator::Fault;
using simulator::Request;
using ::testing::Contains;
using ::testing::Pair;

class ExpiredPageTest : public EndToEndTest {
 protected:
  void SetUp() override {
    EndToEndTest::SetUp();
    request_ = RequestFor(list_);
    request_.set_page_size(10);
  }

  // Responds as a provider that does not know the token, to the first `times` requests with `part`
  // in their target.
  void Expire(const std::string& part, int times, int code = 20001) {
    auto left = std::make_shared<std::atomic<int>>(times);
    simulator_->InjectFaults([=](const Request& request) {
      if (!absl::StrContains(request.target, part) || left->fetch_sub(1) <= 0) return Fault();
      return simulator::Respond(400, "{\"code\":" + std::to_string(code) + ",\"status\":400}");
    });
  }

  std::vector<std::string> Ids(int64_t from) const {
    std::vector<std::string> ids;
    for (int64_t i = from; i < list_.size; ++i) ids.push_back(ParticipantSid(list_, i));
    return ids;
  }

  static std::vector<std::string> IdsOf(const Listing& listing) {
    std::vector<std::string> ids;
    for (const v1::Participant& participant : listing.participants) {
      ids.push_back(participant.conference_participant_summary().participant_sid());
    }
    return ids;
  }

  // The resume token of the `count`th record.
  std::string TokenBehind(int count) {
    v1::ListParticipantsRequest request = request_;
    request.set_limit(count);
    grpc::ClientContext context;
    const auto reader = stub().ListParticipants(&context, request);
    v1::ListParticipantsResponse response;
    while (reader->Read(&response)) {
    }
    EXPECT_TRUE(reader->Finish().ok());
    return response.resume_token();
  }

  const simulator::List list_{simulator::Api::kVoiceInsights, 40};
  v1::ListParticipantsRequest request_;
};

TEST_F(ExpiredPageTest, RestartedListContinuesExactly) {
  for (const int code : {20001, 70002, 54453}) {
    Expire("Page=2", 1, code);
    const Listing listing = List(request_);
    EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
    EXPECT_EQ(IdsOf(listing), Ids(0));
    EXPECT_THAT(listing.trailers, Contains(Pair("rollcall-duplicates-suppressed", "20")));
    EXPECT_THAT(listing.trailers, Contains(Pair("rollcall-records", "40")));
  }
}

TEST_F(ExpiredPageTest, EveryTokenResumesIfTheListIsUnchanged) {
  for (const int count : {1, 9, 10, 11, 25, 39, 40}) {
    simulator_->InjectFaults(nullptr);
    v1::ListParticipantsRequest rest = request_;
    rest.set_resume_token(TokenBehind(count));
    rest.set_page_size(7);
    Expire("PageSize=10&Page", 1000);
    const Listing listing = List(rest);
    EXPECT_TRUE(listing.status.ok()) << count << listing.status.error_message();
    EXPECT_EQ(IdsOf(listing), Ids(count)) << count;
  }
}

TEST_F(ExpiredPageTest, TokenOfAResumedListResumes) {
  v1::ListParticipantsRequest rest = request_;
  rest.set_resume_token(TokenBehind(15));
  rest.set_limit(10);
  grpc::ClientContext context;
  const auto reader = stub().ListParticipants(&context, rest);
  v1::ListParticipantsResponse response;
  while (reader->Read(&response)) {
  }
  ASSERT_TRUE(reader->Finish().ok());
  rest.set_limit(0);
  rest.set_resume_token(response.resume_token());
  Expire("Page=2", 1);
  const Listing listing = List(rest);
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  EXPECT_EQ(IdsOf(listing), Ids(25));
}

TEST_F(ExpiredPageTest, PageThatStaysExpiredEndsTheList) {
  Expire("Page=2", 1000);
  const Listing listing = List(request_);
  EXPECT_EQ(listing.status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_PAGE_EXPIRED");
  EXPECT_EQ(IdsOf(listing).size(), 20u);
}

TEST_F(ExpiredPageTest, ChangedListIsAnError) {
  auto expired = std::make_shared<std::atomic<bool>>(false);
  simulator_->InjectFaults([this, expired](const Request& request) {
    if (absl::StrContains(request.target, "Page=2") && !expired->exchange(true)) {
      return simulator::Respond(400, R"({"code":20001})");
    }
    Fault fault;
    if (*expired && !absl::StrContains(request.target, "PageToken")) {
      fault.edit_body = [this](std::string body) {
        const std::string gone = ParticipantJson(list_, 5) + ",";
        return body.erase(body.find(gone), gone.size());
      };
    }
    return fault;
  });
  const Listing listing = List(request_);
  EXPECT_EQ(listing.status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_LIST_CHANGED");
  EXPECT_EQ(IdsOf(listing).size(), 20u);
}

TEST_F(ExpiredPageTest, FaultDuringRestartIsRetried) {
  StartDaemon({{"retry", {{"max_attempts", 5}, {"initial_backoff_seconds", 0.001}}}});
  auto expired = std::make_shared<std::atomic<int>>(0);
  simulator_->InjectFaults([expired](const Request& request) {
    Fault fault;
    if (absl::StrContains(request.target, "Page=3") && *expired == 0) {
      ++*expired;
      return simulator::Respond(400, R"({"code":20001})");
    }
    if (absl::StrContains(request.target, "Page=1") && *expired > 0 && *expired < 4) {
      fault.cut_after = 2000 * (*expired)++;
    }
    return fault;
  });
  const Listing listing = List(request_);
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  EXPECT_EQ(IdsOf(listing), Ids(0));
}

TEST_F(ExpiredPageTest, ExpiredPageNamedByTheCallerIsAnError) {
  Expire("PageToken", 1);
  request_.mutable_provider_page()->set_page(1);
  request_.mutable_provider_page()->set_page_token("PT1");
  const Listing listing = List(request_);
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_PAGE_EXPIRED");
  EXPECT_EQ(simulator_->requests().size(), 1u);
}

TEST_F(ExpiredPageTest, RefusedFirstPageIsNotAnExpiredToken) {
  Expire("Participants", 1);
  EXPECT_EQ(Reason(List(request_).status), "UPSTREAM_REJECTED_REQUEST");
}

}  // namespace
}  // namespace rollcall
