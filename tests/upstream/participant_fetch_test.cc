// The fetch of one participant. The test plays the provider and controls the clock.
#include "service/upstream/participant_fetch.h"

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>

#include "service/error/error.h"
#include "tests/upstream/upstream_fixture.h"

namespace rollcall::service {
namespace {

using ::testing::EndsWith;
using ::testing::SizeIs;

class ParticipantFetchTest : public UpstreamFixture {
 protected:
  void Start() {
    v1::GetParticipantRequest request;
    auto& name = *request.mutable_conference_participant_summary();
    name.set_conference_sid(kConference);
    name.set_participant_sid(SidOf(1));
    auto query = CheckRequest(request, query_options_, Context());
    ASSERT_TRUE(query.ok()) << query.status();
    fetch_ = std::make_unique<ParticipantFetch>(
        transport_, decoder_scratch_, config_.read, upstream(), *std::move(query), participant_,
        [this](const absl::Status& status, const CallTotals& totals) {
          EXPECT_FALSE(end_) << "a fetch ends once";
          end_ = status;
          totals_ = totals;
          fetch_->Cancel();
          scheduler_.DeleteLater(std::move(fetch_));
        },
        [] { return 0.5; });
    scheduler_.Run();
  }

  v1::ErrorReason reason() const { return end_ ? ReasonOf(*end_) : v1::ErrorReason(); }

  v1::Participant participant_;
  std::optional<absl::Status> end_;
  CallTotals totals_;
  std::unique_ptr<ParticipantFetch> fetch_;
};

TEST_F(ParticipantFetchTest, FillsTheParticipant) {
  Start();
  ASSERT_THAT(transport_.requests(), SizeIs(1));
  EXPECT_THAT(request(0).url(), EndsWith("/Participants/" + SidOf(1)));
  Respond(0, 200, RecordOf(1).dump());
  EXPECT_EQ(end_, absl::OkStatus());
  EXPECT_EQ(participant_.conference_participant_summary().participant_sid(), SidOf(1));
  EXPECT_EQ(totals_.records, 1);
  EXPECT_EQ(totals_.attempts, 1);
}

TEST_F(ParticipantFetchTest, RetriesATransientFailure) {
  Start();
  Respond(0, 503, "");
  ASSERT_TRUE(scheduler_.AdvanceToNextTimer());
  ASSERT_THAT(transport_.requests(), SizeIs(2));
  Respond(1, 200, RecordOf(1).dump());
  EXPECT_EQ(end_, absl::OkStatus());
  EXPECT_EQ(totals_.attempts, 2);
}

TEST_F(ParticipantFetchTest, RetriesAMalformedResponseOnAnotherConnection) {
  for (const std::string body : {"", "{", "[]", "{}"}) {
    end_.reset();
    const size_t before = transport_.requests().size();
    Start();
    Respond(before, 200, body);
    EXPECT_TRUE(request(before).is_distrusted()) << body;
    ASSERT_TRUE(scheduler_.AdvanceToNextTimer());
    ASSERT_THAT(transport_.requests(), SizeIs(before + 2)) << body;
    EXPECT_TRUE(request(before + 1).new_connection()) << body;
    Respond(before + 1, 200, RecordOf(1).dump());
    EXPECT_EQ(end_, absl::OkStatus()) << body;
  }
}

TEST_F(ParticipantFetchTest, DoesNotAcceptAnotherParticipant) {
  config_.read.retry.max_attempts = 1;
  Start();
  Respond(0, 200, RecordOf(2).dump());
  EXPECT_EQ(reason(), v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE);
  EXPECT_TRUE(request(0).is_distrusted());
}

TEST_F(ParticipantFetchTest, DoesNotRetryAParticipantThatDoesNotExist) {
  Start();
  Respond(0, 404, R"({"code":20404})");
  EXPECT_EQ(reason(), v1::ERROR_REASON_UPSTREAM_NOT_FOUND);
  EXPECT_FALSE(scheduler_.has_timers());
}

TEST_F(ParticipantFetchTest, EndsWhenTheRecordIsTooLarge) {
  config_.read.limits.max_record_bytes = 10;
  Start();
  request(0).Head(200);
  request(0).Body(RecordOf(1).dump());
  EXPECT_EQ(reason(), v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED);
  EXPECT_FALSE(request(0).is_in_flight());
}

TEST_F(ParticipantFetchTest, GivesUpAfterTheConfiguredAttempts) {
  Start();
  for (int i = 0; i < config_.read.retry.max_attempts; ++i) {
    EXPECT_FALSE(end_);
    Respond(static_cast<size_t>(i), 500, "");
    scheduler_.AdvanceToNextTimer();
  }
  EXPECT_EQ(reason(), v1::ERROR_REASON_UPSTREAM_UNAVAILABLE);
  EXPECT_EQ(totals_.attempts, config_.read.retry.max_attempts);
}

TEST_F(ParticipantFetchTest, CancelsItsRequestWhenItIsDestroyed) {
  Start();
  request(0).Head(200);
  fetch_.reset();
  EXPECT_FALSE(request(0).is_in_flight());
  EXPECT_EQ(upstream().limiter.counts().in_flight, 0);
}

}  // namespace
}  // namespace rollcall::service
