// The client library against a real gRPC server that breaks off as scripted.

#include "rollcall/participant_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <thread>
#include <type_traits>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "rollcall/call_status.h"
#include "rollcall/channel.h"
#include "tests/client/fake_server.h"

namespace rollcall {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Time that passes only in waits.
class FakeClock final : public CallClock {
 public:
  absl::Duration Now() override { return now_; }

  void Wait(absl::Duration duration, CallCanceller&) override {
    waits_.push_back(duration);
    now_ += duration;
    on_wait_();
  }

  void OnWait(std::function<void()> on_wait) { on_wait_ = std::move(on_wait); }
  const std::vector<absl::Duration>& waits() const { return waits_; }

 private:
  absl::Duration now_ = absl::Hours(1000);
  std::vector<absl::Duration> waits_;
  std::function<void()> on_wait_ = [] {};
};

// Waits 1 s, 2 s, 3 s, ... until there is progress.
class CountingBackoff final : public BackoffPolicy {
 public:
  std::unique_ptr<BackoffPolicy> Clone() const override {
    return std::make_unique<CountingBackoff>();
  }
  absl::Duration NextWait() override { return absl::Seconds(++failures_); }
  void OnProgress() override { failures_ = 0; }

 private:
  int failures_ = 0;
};

// A list of participants with these call sids and tokens "A'", ..., and how it ends.
Script List(const std::vector<std::string>& call_sids, grpc::Status status = grpc::Status::OK) {
  Script script;
  for (const std::string& sid : call_sids) {
    script.Add(sid + "'").mutable_live_participant()->set_call_sid(sid);
  }
  script.status = std::move(status);
  return script;
}

grpc::Status Gone(const std::string& message = "gone") {
  return grpc::Status(grpc::UNAVAILABLE, message);
}

grpc::Status GoneFor(const absl::Duration wait) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(absl::ToInt64Seconds(wait));
  return RichStatus(grpc::UNAVAILABLE, "gone for a while", retry);
}

// The result of a list.
struct Heard {
  std::vector<std::string> call_sids;
  absl::Status status;
};

Heard Walk(ParticipantRange& range) {
  Heard heard;
  for (const absl::StatusOr<v1::Participant>& participant : range) {
    EXPECT_TRUE(heard.status.ok()) << "an element after the error";
    if (participant.ok()) {
      heard.call_sids.push_back(participant->live_participant().call_sid());
    } else {
      heard.status = participant.status();
    }
  }
  return heard;
}

class ParticipantClientTest : public ::testing::Test {
 protected:
  ParticipantClientTest() {
    request_.set_upstream("voice");
    request_.mutable_live_participants()->set_conference_sid("X");
    options_.clock = clock_;
    options_.backoff_policy = std::make_shared<CountingBackoff>();
  }

  ParticipantRange ListInTurn(const std::vector<Script>& scripts) {
    server_.PlayInTurn(scripts);
    return client_.List(request_, options_);
  }

  Heard HearInTurn(const std::vector<Script>& scripts) {
    ParticipantRange range = ListInTurn(scripts);
    return Walk(range);
  }

  void SetLimits(const RetryLimits& limits) {
    options_.retry_policy = std::make_shared<LimitedRetryPolicy>(limits);
  }

  const std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  v1::ListParticipantsRequest request_;
  CallOptions options_;
  FakeServer server_;
  const std::shared_ptr<grpc::Channel> channel_ = MakeChannel(server_.address());
  const ParticipantClient client_{channel_};
};

TEST_F(ParticipantClientTest, CompleteListIsOneCall) {
  const Heard heard = HearInTurn({List({"A", "B"})});
  EXPECT_THAT(heard.call_sids, ElementsAre("A", "B"));
  EXPECT_TRUE(heard.status.ok());
  ASSERT_THAT(server_.list_requests(), SizeIs(1));
  EXPECT_EQ(server_.list_request().SerializeAsString(), request_.SerializeAsString());
}

TEST_F(ParticipantClientTest, EachCallHasTheRequestId) {
  options_.request_id = "order-66";
  const Heard heard = HearInTurn({List({"A"}, Gone()), List({"B"})});
  EXPECT_THAT(heard.call_sids, ElementsAre("A", "B"));
  EXPECT_THAT(server_.request_ids(), ElementsAre("order-66", "order-66"));
}

TEST_F(ParticipantClientTest, InvalidRequestIdIsNotSent) {
  for (const std::string& id :
       {std::string(), std::string("a b"), std::string("a\r\nb: c"), std::string(129, 'x')}) {
    options_.request_id = id;
    EXPECT_TRUE(HearInTurn({List({})}).status.ok());
    EXPECT_EQ(server_.request_ids().back(), "") << id;
  }
}

TEST_F(ParticipantClientTest, EmptyListHasNoElements) {
  ParticipantRange range = ListInTurn({List({})});
  EXPECT_TRUE(range.begin() == range.end());
  EXPECT_EQ(range.resume_token(), "");
  EXPECT_EQ(range.totals().calls, 1);
}

TEST_F(ParticipantClientTest, ResumesAfterTheLastRecord) {
  const Heard heard = HearInTurn({List({"A", "B"}, Gone()), List({"C"}, Gone()), List({"D"})});
  EXPECT_THAT(heard.call_sids, ElementsAre("A", "B", "C", "D"));
  EXPECT_TRUE(heard.status.ok());
  ASSERT_THAT(server_.list_requests(), SizeIs(3));
  v1::ListParticipantsRequest expected = request_;
  expected.set_resume_token("B'");
  EXPECT_EQ(server_.list_requests()[1].SerializeAsString(), expected.SerializeAsString());
  expected.set_resume_token("C'");
  EXPECT_EQ(server_.list_requests()[2].SerializeAsString(), expected.SerializeAsString());
}

TEST_F(ParticipantClientTest, TokenReplacesTheProvidersPage) {
  request_.mutable_provider_page()->set_page_token("PT");
  HearInTurn({List({}, Gone()), List({"A"}, Gone()), List({})});
  ASSERT_THAT(server_.list_requests(), SizeIs(3));
  EXPECT_EQ(server_.list_requests()[1].provider_page().page_token(), "PT");
  EXPECT_EQ(server_.list_requests()[2].resume_token(), "A'");
  EXPECT_FALSE(server_.list_requests()[2].has_provider_page());
}

TEST_F(ParticipantClientTest, BreakBeforeAnyRecordRepeatsTheRequest) {
  request_.set_resume_token("own");
  request_.set_limit(2);
  ParticipantRange range = ListInTurn({List({}, Gone()), List({"A"})});
  EXPECT_EQ(range.resume_token(), "own");
  EXPECT_THAT(Walk(range).call_sids, ElementsAre("A"));
  EXPECT_EQ(range.resume_token(), "A'");
  ASSERT_THAT(server_.list_requests(), SizeIs(2));
  EXPECT_EQ(server_.list_request().SerializeAsString(), request_.SerializeAsString());
}

TEST_F(ParticipantClientTest, RequestsTheRestOfTheLimit) {
  request_.set_limit(5);
  const Heard heard = HearInTurn({List({"A", "B"}, Gone()), List({"C"}, Gone()), List({"D", "E"})});
  EXPECT_THAT(heard.call_sids, SizeIs(5));
  EXPECT_TRUE(heard.status.ok());
  ASSERT_THAT(server_.list_requests(), SizeIs(3));
  EXPECT_EQ(server_.list_requests()[1].limit(), 3);
  EXPECT_EQ(server_.list_requests()[2].limit(), 2);
}

TEST_F(ParticipantClientTest, ListThatReachedItsLimitIsComplete) {
  request_.set_limit(2);
  const Heard heard = HearInTurn({List({"A", "B"}, Gone())});
  EXPECT_THAT(heard.call_sids, ElementsAre("A", "B"));
  EXPECT_TRUE(heard.status.ok());
  EXPECT_THAT(server_.list_requests(), SizeIs(1));
}

TEST_F(ParticipantClientTest, StopsAtTheLimitIfTheServerIgnoresIt) {
  request_.set_limit(2);
  ParticipantRange range = ListInTurn({List({"A", "B", "C"})});
  const Heard heard = Walk(range);
  EXPECT_THAT(heard.call_sids, ElementsAre("A", "B"));
  EXPECT_TRUE(heard.status.ok()) << heard.status;
  EXPECT_TRUE(range.totals().limit_ignored);
  EXPECT_EQ(range.resume_token(), "B'");
  EXPECT_THAT(server_.list_requests(), SizeIs(1));
}

TEST_F(ParticipantClientTest, CancelsTheCallIfTheServerIgnoresTheLimit) {
  request_.set_limit(2);
  Script endless = List({"A"});
  endless.endless = true;
  ParticipantRange range = ListInTurn({endless});
  EXPECT_THAT(Walk(range).call_sids, ElementsAre("A", "A"));
  server_.Stop();
  EXPECT_TRUE(server_.cancelled());
}

TEST_F(ParticipantClientTest, FewerRecordsThanTheServiceSentIsDataLoss) {
  Script script = List({"A", "B"});
  script.trailers = {{"rollcall-records", "3"}};
  ParticipantRange range = ListInTurn({List({"X"}, Gone()), script});
  const Heard heard = Walk(range);
  EXPECT_THAT(heard.call_sids, ElementsAre("X", "A", "B"));
  EXPECT_TRUE(absl::IsDataLoss(heard.status)) << heard.status;
  EXPECT_THAT(heard.status.message(), HasSubstr("sent 3 records in this call, 2 arrived"));
  EXPECT_THAT(server_.list_requests(), SizeIs(2));
}

TEST_F(ParticipantClientTest, MessageOverTheLimitIsFinal) {
  Script script = List({"A", "B"});
  script.list[1].mutable_participant()->mutable_live_participant()->set_label(
      std::string(2000, 'x'));
  server_.Play(script);
  ChannelOptions channel;
  channel.max_message_bytes = 1000;
  ParticipantRange range =
      ParticipantClient(MakeChannel(server_.address(), channel)).List(request_, options_);
  const Heard heard = Walk(range);
  EXPECT_THAT(heard.call_sids, ElementsAre("A"));
  EXPECT_TRUE(absl::IsResourceExhausted(heard.status)) << heard.status;
  EXPECT_THAT(server_.list_requests(), SizeIs(1));
}

TEST_F(ParticipantClientTest, CompressedMessageIsNotDecompressed) {
  Script script = List({"A"});
  script.list[0].mutable_participant()->mutable_live_participant()->set_label(
      std::string(100'000, 'x'));
  script.compressed = true;
  const Heard heard = HearInTurn({script});
  EXPECT_THAT(heard.call_sids, IsEmpty());
  EXPECT_TRUE(absl::IsUnimplemented(heard.status)) << heard.status;
  EXPECT_THAT(server_.list_requests(), SizeIs(1));
}

TEST_F(ParticipantClientTest, ProgressResetsTheRetryBudget) {
  SetLimits({.max_retries = 1});
  const Heard heard =
      HearInTurn({List({"A"}, Gone()), List({"B"}, Gone()), List({}, Gone("last"))});
  EXPECT_THAT(heard.call_sids, ElementsAre("A", "B"));
  EXPECT_EQ(heard.status, absl::UnavailableError("last"));
  EXPECT_THAT(server_.list_requests(), SizeIs(3));
  EXPECT_THAT(clock_->waits(), ElementsAre(absl::Seconds(1), absl::Seconds(1)));
}

TEST_F(ParticipantClientTest, LastFailureIsTheErrorAfterAllRetries) {
  SetLimits({.max_retries = 2});
  ParticipantRange range =
      ListInTurn({List({"A"}, Gone("1")), List({}, Gone("2")), List({}, Gone("3"))});
  const Heard heard = Walk(range);
  EXPECT_THAT(heard.call_sids, ElementsAre("A"));
  EXPECT_EQ(heard.status, absl::UnavailableError("3"));
  EXPECT_EQ(range.totals().calls, 3);
  EXPECT_EQ(range.resume_token(), "A'");
  EXPECT_THAT(clock_->waits(), ElementsAre(absl::Seconds(1), absl::Seconds(2)));
}

TEST_F(ParticipantClientTest, OtherFailuresAreFinalAndKeepTheirDetails) {
  for (int code = 2; code <= 16; ++code) {
    if (code == grpc::UNAVAILABLE || code == grpc::DEADLINE_EXCEEDED) continue;
    google::rpc::ErrorInfo info;
    info.set_domain("rollcall");
    info.set_reason("UPSTREAM_LIST_CHANGED");
    const Heard heard =
        HearInTurn({List({"A"}, RichStatus(static_cast<grpc::StatusCode>(code), "no more", info))});
    EXPECT_THAT(heard.call_sids, ElementsAre("A"));
    EXPECT_EQ(static_cast<int>(heard.status.code()), code);
    EXPECT_EQ(heard.status.message(), "no more");
    const auto detail = StatusDetail<google::rpc::ErrorInfo>(heard.status);
    ASSERT_TRUE(detail.has_value()) << heard.status;
    EXPECT_EQ(detail->reason(), "UPSTREAM_LIST_CHANGED");
  }
  EXPECT_THAT(server_.list_requests(), SizeIs(13));
  EXPECT_THAT(clock_->waits(), IsEmpty());
}

TEST_F(ParticipantClientTest, ServicesTimeLimitIsResumedOnlyAfterRecords) {
  const grpc::Status late(grpc::DEADLINE_EXCEEDED, "no call takes so long");
  EXPECT_THAT(HearInTurn({List({"A"}, late), List({"B"})}).call_sids, ElementsAre("A", "B"));
  const Heard nothing = HearInTurn({List({"A"}, late), List({}, late), List({"B"})});
  EXPECT_THAT(nothing.call_sids, ElementsAre("A"));
  EXPECT_TRUE(absl::IsDeadlineExceeded(nothing.status));
}

TEST_F(ParticipantClientTest, CancelledByTheServerIsResumed) {
  const Heard heard =
      HearInTurn({List({"A"}, grpc::Status(grpc::CANCELLED, "shut down")), List({"B"})});
  EXPECT_THAT(heard.call_sids, ElementsAre("A", "B"));
  EXPECT_TRUE(heard.status.ok());
}

TEST_F(ParticipantClientTest, WaitsAsLongAsTheServiceAsks) {
  const Heard heard = HearInTurn(
      {List({}, GoneFor(absl::Seconds(30))), List({}, GoneFor(absl::Seconds(1))), List({"A"})});
  EXPECT_THAT(heard.call_sids, ElementsAre("A"));
  EXPECT_THAT(clock_->waits(), ElementsAre(absl::Seconds(30), absl::Seconds(2)));
}

TEST_F(ParticipantClientTest, WaitsLongerIfALimitIsReached) {
  google::rpc::ErrorInfo limit = MakeErrorInfo("NOT_INVENTED_YET");
  (*limit.mutable_metadata())["retry"] = "later";
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(9);
  const Heard heard =
      HearInTurn({List({"A"}, RichStatus(grpc::RESOURCE_EXHAUSTED, "", limit)),
                  List({}, RichStatus(grpc::INTERNAL, "", limit)),
                  List({}, RichStatus(grpc::RESOURCE_EXHAUSTED, "", limit, retry)), List({"B"})});
  EXPECT_THAT(heard.call_sids, ElementsAre("A", "B"));
  EXPECT_TRUE(heard.status.ok()) << heard.status;
  EXPECT_THAT(clock_->waits(), ElementsAre(absl::Seconds(2), absl::Seconds(3), absl::Seconds(9)));
}

TEST_F(ParticipantClientTest, RequestedWaitAboveMaxWaitIsFinal) {
  SetLimits({.max_wait = absl::Seconds(29)});
  const Heard heard = HearInTurn({List({"A"}, GoneFor(absl::Seconds(30))), List({"B"})});
  EXPECT_THAT(heard.call_sids, ElementsAre("A"));
  EXPECT_EQ(heard.status.message(), "gone for a while");
  EXPECT_THAT(clock_->waits(), IsEmpty());
}

TEST_F(ParticipantClientTest, FailureAfterARecordWithoutTokenIsFinal) {
  Script script = List({"A", "B"}, Gone());
  script.list[1].clear_resume_token();
  const Heard heard = HearInTurn({script, List({"A", "B", "C"})});
  EXPECT_THAT(heard.call_sids, ElementsAre("A", "B"));
  EXPECT_EQ(heard.status, absl::UnavailableError("gone"));
  EXPECT_THAT(server_.list_requests(), SizeIs(1));
}

TEST_F(ParticipantClientTest, AlwaysAsksForTokens) {
  server_.PlayInTurn({List({"A", "B"}, Gone()), List({"C"})});
  v1::ListParticipantsRequest request = request_;
  request.set_omit_resume_tokens(true);
  ParticipantRange range = client_.List(request, options_);
  EXPECT_THAT(Walk(range).call_sids, ElementsAre("A", "B", "C"));
  EXPECT_THAT(server_.list_requests(), SizeIs(2));
  for (const auto& sent : server_.list_requests()) EXPECT_FALSE(sent.omit_resume_tokens());
}

TEST_F(ParticipantClientTest, ResumesIfOnlyTheLastRecordHasAToken) {
  Script script = List({"A", "B"}, Gone());
  script.list[0].clear_resume_token();
  EXPECT_THAT(HearInTurn({script, List({"C"})}).call_sids, ElementsAre("A", "B", "C"));
}

TEST_F(ParticipantClientTest, TotalsAreSumsOverCalls) {
  Script first = List({"A", "B"}, Gone());
  first.trailers = {{"rollcall-records", "2"},
                    {"rollcall-pages", "1"},
                    {"rollcall-attempts", "3"},
                    {"rollcall-duplicates-suppressed", "4"},
                    {"rollcall-resume-token", "B'"}};
  Script last = List({"C"});
  last.trailers = {{"rollcall-records", "1"},
                   {"rollcall-pages", "9223372036854775807"},
                   {"rollcall-attempts", "many"},
                   {"rollcall-duplicates-suppressed", "-1"}};
  ParticipantRange range = ListInTurn({first, List({}, Gone()), last});
  Walk(range);
  const ParticipantRange::Totals& totals = range.totals();
  EXPECT_EQ(totals.calls, 3);
  EXPECT_EQ(totals.records, 3);
  EXPECT_EQ(totals.pages, 1);
  EXPECT_EQ(totals.attempts, 3);
  EXPECT_EQ(totals.duplicates_suppressed, 4);
  EXPECT_EQ(totals.unrecognized, std::nullopt);
  EXPECT_FALSE(totals.limit_ignored);
}

TEST_F(ParticipantClientTest, TokenBelongsToTheCurrentElement) {
  ParticipantRange range = ListInTurn({List({"A", "B"}, Gone()), List({"C"})});
  for (const auto& participant : range) {
    ASSERT_TRUE(participant.ok());
    EXPECT_EQ(range.resume_token(), participant->live_participant().call_sid() + "'");
  }
  EXPECT_EQ(range.resume_token(), "C'");
}

TEST_F(ParticipantClientTest, PoliciesStartFreshForEachList) {
  SetLimits({.max_retries = 1});
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(HearInTurn({List({}, Gone()), List({"A"})}).call_sids, ElementsAre("A"));
  }
  EXPECT_THAT(clock_->waits(), ElementsAre(absl::Seconds(1), absl::Seconds(1), absl::Seconds(1)));
}

TEST_F(ParticipantClientTest, CustomPolicyDecides) {
  // Retries RESOURCE_EXHAUSTED only.
  class Own final : public CallRetryPolicy {
   public:
    std::unique_ptr<CallRetryPolicy> Clone() const override { return std::make_unique<Own>(); }
    bool MayRetry(const absl::Status& failure, absl::Duration, absl::Duration) override {
      return absl::IsResourceExhausted(failure);
    }
    void OnProgress() override {}
  };
  options_.retry_policy = std::make_shared<Own>();
  const Heard heard =
      HearInTurn({List({"A"}, grpc::Status(grpc::RESOURCE_EXHAUSTED, "busy")), List({}, Gone())});
  EXPECT_EQ(heard.status, absl::UnavailableError("gone"));
  EXPECT_THAT(server_.list_requests(), SizeIs(2));
}

TEST_F(ParticipantClientTest, CancelEndsARead) {
  absl::Notification release;
  Script script = List({"A"});
  script.on_listed = [&release] { release.WaitForNotification(); };
  ParticipantRange range = ListInTurn({script});
  auto it = range.begin();
  ASSERT_TRUE(it->ok());
  std::thread other([&range] { range.Cancel(); });
  ++it;
  ASSERT_TRUE(it != range.end());
  EXPECT_EQ(it->status(), absl::CancelledError("cancelled by the caller"));
  ++it;
  EXPECT_TRUE(it == range.end());
  other.join();
  release.Notify();
  server_.Stop();
  EXPECT_THAT(server_.list_requests(), SizeIs(1));
}

// The real clock, which notifies when a wait begins.
class WatchedClock final : public CallClock {
 public:
  absl::Duration Now() override { return real_->Now(); }
  void Wait(absl::Duration duration, CallCanceller& canceller) override {
    waiting.Notify();
    real_->Wait(duration, canceller);
  }

  absl::Notification waiting;

 private:
  const std::shared_ptr<CallClock> real_ = SteadyClock();
};

// Waits for a day.
class LongBackoff final : public BackoffPolicy {
 public:
  std::unique_ptr<BackoffPolicy> Clone() const override { return std::make_unique<LongBackoff>(); }
  absl::Duration NextWait() override { return absl::Hours(24); }
  void OnProgress() override {}
};

TEST_F(ParticipantClientTest, CancelEndsAWaitAtOnce) {
  const auto clock = std::make_shared<WatchedClock>();
  options_.clock = clock;
  options_.backoff_policy = std::make_shared<LongBackoff>();
  SetLimits({.max_wait = absl::InfiniteDuration()});
  ParticipantRange range = ListInTurn({List({"A"}, Gone())});
  std::thread other([&] {
    clock->waiting.WaitForNotification();
    range.Cancel();
  });
  const Heard heard = Walk(range);
  other.join();
  EXPECT_THAT(heard.call_sids, ElementsAre("A"));
  EXPECT_TRUE(absl::IsCancelled(heard.status));
  EXPECT_THAT(server_.list_requests(), SizeIs(1));
}

TEST(SteadyClockTest, WaitEndsAfterItsDurationOrByCancellation) {
  const std::shared_ptr<CallClock> clock = SteadyClock();
  CallCanceller canceller;
  const absl::Duration start = clock->Now();
  clock->Wait(absl::Milliseconds(5), canceller);
  EXPECT_GE(clock->Now() - start, absl::Milliseconds(4));  // gRPC rounds to whole milliseconds.
  clock->Wait(absl::ZeroDuration(), canceller);
  canceller.Cancel();
  clock->Wait(absl::Hours(24), canceller);
  clock->Wait(absl::InfiniteDuration(), canceller);
}

TEST_F(ParticipantClientTest, CancelBeforeTheFirstCallYieldsNoRecord) {
  ParticipantRange range = ListInTurn({List({"A"})});
  range.Cancel();
  const Heard heard = Walk(range);
  EXPECT_THAT(heard.call_sids, IsEmpty());
  EXPECT_TRUE(absl::IsCancelled(heard.status));
}

TEST_F(ParticipantClientTest, CancellerEndsAllCallsThatShareIt) {
  options_.canceller = std::make_shared<CallCanceller>();
  Script endless = List({"A"});
  endless.endless = true;
  ParticipantRange first = ListInTurn({endless});
  ParticipantRange second = client_.List(request_, options_);
  ASSERT_TRUE(first.begin()->ok());
  ASSERT_TRUE(second.begin()->ok());
  options_.canceller->Cancel();
  options_.canceller->Cancel();
  EXPECT_TRUE(absl::IsCancelled(Walk(first).status));
  EXPECT_TRUE(absl::IsCancelled(Walk(second).status));
  ParticipantRange third = client_.List(request_, options_);
  EXPECT_TRUE(absl::IsCancelled(Walk(third).status));
  EXPECT_TRUE(absl::IsCancelled(client_.Get({}, options_).status()));
}

TEST_F(ParticipantClientTest, TimeoutEndsTheListWithoutAnotherCall) {
  options_.clock = SteadyClock();
  options_.timeout = absl::Milliseconds(50);
  Script endless = List({"A"});
  endless.endless = true;
  ParticipantRange range = ListInTurn({endless});
  EXPECT_TRUE(absl::IsDeadlineExceeded(Walk(range).status));
  EXPECT_EQ(range.totals().calls, 1);
}

TEST_F(ParticipantClientTest, TimeoutCoversAllCalls) {
  const absl::Time start = absl::Now();
  options_.timeout = absl::Hours(3);
  SetLimits({.max_wait = absl::Hours(2)});
  HearInTurn({List({}, GoneFor(absl::Hours(2))), List({})});
  const absl::Time end = absl::Now();
  ASSERT_THAT(server_.list_deadlines(), SizeIs(2));
  // A deadline is sent as a rounded timeout.
  const absl::Duration slack = absl::Minutes(1);
  EXPECT_GT(absl::FromChrono(server_.list_deadlines()[0]), start + absl::Hours(3) - slack);
  EXPECT_GT(absl::FromChrono(server_.list_deadlines()[1]), start + absl::Hours(1) - slack);
  EXPECT_LT(absl::FromChrono(server_.list_deadlines()[1]), end + absl::Hours(1) + slack);
}

TEST_F(ParticipantClientTest, WithoutATimeoutThereIsNoDeadline) {
  HearInTurn({List({})});
  ASSERT_THAT(server_.list_deadlines(), SizeIs(1));
  EXPECT_GT(absl::FromChrono(server_.list_deadlines()[0]), absl::Now() + absl::Hours(24 * 365));
}

TEST_F(ParticipantClientTest, FailureIsTheErrorIfNoTimeIsLeftToWait) {
  options_.timeout = absl::Seconds(30);
  const Heard heard = HearInTurn({List({}, GoneFor(absl::Seconds(30)))});
  EXPECT_EQ(heard.status.message(), "gone for a while");
  EXPECT_THAT(server_.list_requests(), SizeIs(1));
  EXPECT_THAT(clock_->waits(), IsEmpty());
}

TEST_F(ParticipantClientTest, ResumesOnARestartedServer) {
  absl::Notification release;
  Script script = List({"A", "B"});
  script.on_listed = [&release] { release.WaitForNotification(); };
  SetLimits({.max_retries = 1000});
  ParticipantRange range = ListInTurn({script, List({"C"})});
  auto it = range.begin();
  ++it;
  ASSERT_EQ((*it)->live_participant().call_sid(), "B");
  std::thread breaking([this] { server_.Break(); });
  bool broken = false;
  clock_->OnWait([&] {
    if (!broken) {
      broken = true;
      release.Notify();
      breaking.join();
      server_.Start();
    }
    // The channel reconnects in its own time.
    EXPECT_TRUE(channel_->WaitForConnected(gpr_inf_future(GPR_CLOCK_REALTIME)));
  });
  ++it;
  ASSERT_TRUE(it != range.end());
  ASSERT_TRUE(it->ok()) << it->status();
  EXPECT_EQ((*it)->live_participant().call_sid(), "C");
  EXPECT_EQ(server_.list_request().resume_token(), "B'");
  ++it;
  EXPECT_TRUE(it == range.end());
}

TEST_F(ParticipantClientTest, UnreachableServerIsRetried) {
  server_.Stop();
  SetLimits({.max_retries = 3});
  ParticipantRange range = client_.List(request_, options_);
  EXPECT_TRUE(absl::IsUnavailable(Walk(range).status));
  EXPECT_EQ(range.totals().calls, 4);
}

// Requirements of algorithms and range-for.
static_assert(std::input_iterator<ParticipantRange::iterator>);
static_assert(std::sentinel_for<ParticipantRange::iterator, ParticipantRange::iterator>);
static_assert(std::is_nothrow_move_constructible_v<ParticipantRange>);
static_assert(std::is_nothrow_move_assignable_v<ParticipantRange>);
static_assert(!std::is_copy_constructible_v<ParticipantRange>);

TEST_F(ParticipantClientTest, WorksWithAlgorithms) {
  ParticipantRange range = ListInTurn({List({"A", "B", "C"})});
  const auto found = std::find_if(range.begin(), range.end(), [](const auto& participant) {
    return participant.ok() && participant->live_participant().call_sid() == "B";
  });
  ASSERT_TRUE(found != range.end());
  EXPECT_EQ((*found)->live_participant().call_sid(), "B");
}

TEST_F(ParticipantClientTest, BeginReturnsTheCurrentPosition) {
  ParticipantRange range = ListInTurn({List({"A", "B"})});
  auto it = range.begin();
  it++;
  EXPECT_TRUE(range.begin() == it);
  EXPECT_THAT(Walk(range).call_sids, ElementsAre("B"));
  EXPECT_TRUE(range.begin() == range.end());
  EXPECT_THAT(server_.list_requests(), SizeIs(1));
}

TEST_F(ParticipantClientTest, ElementMayBeMovedFrom) {
  ParticipantRange range =
      ListInTurn({List({"A", "B"}, Gone()), List({"C"}, grpc::Status(grpc::ABORTED, "changed"))});
  std::vector<absl::StatusOr<v1::Participant>> all;
  for (auto& element : range) all.push_back(std::move(element));
  ASSERT_THAT(all, SizeIs(4));
  EXPECT_EQ(all[0]->live_participant().call_sid(), "A");
  EXPECT_EQ(all[1]->live_participant().call_sid(), "B");
  EXPECT_EQ(all[2]->live_participant().call_sid(), "C");
  EXPECT_EQ(all[3].status(), absl::AbortedError("changed"));
}

TEST_F(ParticipantClientTest, RecordsDoNotLeakIntoTheNext) {
  Script script = List({"A", "B"});
  script.list[0].mutable_participant()->mutable_live_participant()->set_label("of A");
  script.list[0].mutable_participant()->mutable_null_fields()->add_paths("hold");
  ParticipantRange range = ListInTurn({script});
  auto it = range.begin();
  EXPECT_EQ((*it)->SerializeAsString(), script.list[0].participant().SerializeAsString());
  ++it;
  EXPECT_EQ((*it)->SerializeAsString(), script.list[1].participant().SerializeAsString());
}

TEST_F(ParticipantClientTest, RangeCanBeMovedDuringIteration) {
  ParticipantRange first = ListInTurn({List({"A", "B"}, Gone()), List({"C"})});
  auto it = first.begin();
  ParticipantRange second = std::move(first);
  ++it;
  EXPECT_EQ((*it)->live_participant().call_sid(), "B");
  EXPECT_EQ(second.resume_token(), "B'");
  second = client_.List(request_, options_);  // Ends the walk.
  EXPECT_EQ(second.totals().calls, 0);
}

TEST_F(ParticipantClientTest, DestroyedRangeCancelsItsCall) {
  Script endless = List({"A"});
  endless.endless = true;
  {
    ParticipantRange range = ListInTurn({endless});
    ASSERT_TRUE(range.begin()->ok());
  }
  server_.Stop();
  EXPECT_TRUE(server_.cancelled());
}

TEST_F(ParticipantClientTest, RangeWithoutBeginSendsNothing) {
  ListInTurn({List({"A"})});
  EXPECT_THAT(server_.list_requests(), IsEmpty());
}

TEST_F(ParticipantClientTest, RangeOutlivesItsClient) {
  server_.Play(List({"A"}));
  ParticipantRange range =
      ParticipantClient(MakeChannel(server_.address())).List(request_, options_);
  EXPECT_THAT(Walk(range).call_sids, ElementsAre("A"));
}

class GetTest : public ParticipantClientTest {
 protected:
  GetTest() {
    get_.mutable_live_participant()->set_call_sid("A");
    found_.participant.mutable_participant()->mutable_live_participant()->set_call_sid("A");
  }

  v1::GetParticipantRequest get_;
  Script found_;
};

TEST_F(GetTest, Retries) {
  server_.PlayInTurn({List({}, Gone()), List({}, GoneFor(absl::Seconds(9))), found_});
  const absl::StatusOr<v1::Participant> participant = client_.Get(get_, options_);
  ASSERT_TRUE(participant.ok()) << participant.status();
  EXPECT_EQ(participant->live_participant().call_sid(), "A");
  EXPECT_EQ(server_.get_request().SerializeAsString(), get_.SerializeAsString());
  EXPECT_THAT(clock_->waits(), ElementsAre(absl::Seconds(1), absl::Seconds(9)));
}

TEST_F(GetTest, SendsTheRequestId) {
  server_.Play(found_);
  options_.request_id = "order-66";
  EXPECT_TRUE(client_.Get(get_, options_).ok());
  EXPECT_THAT(server_.request_ids(), ElementsAre("order-66"));
}

TEST_F(GetTest, FailsAfterAllRetries) {
  SetLimits({.max_retries = 1});
  server_.PlayInTurn({List({}, Gone("1")), List({}, Gone("2")), found_});
  EXPECT_EQ(client_.Get(get_, options_).status(), absl::UnavailableError("2"));
}

TEST_F(GetTest, OtherFailuresAreFinal) {
  google::rpc::ErrorInfo info;
  info.set_reason("UPSTREAM_NOT_FOUND");
  server_.PlayInTurn({List({}, RichStatus(grpc::NOT_FOUND, "no such call", info)), found_});
  const absl::Status status = client_.Get(get_, options_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(StatusDetail<google::rpc::ErrorInfo>(status)->reason(), "UPSTREAM_NOT_FOUND");
  EXPECT_THAT(server_.get_requests(), SizeIs(1));
}

TEST_F(GetTest, TimeoutEndsTheCall) {
  options_.timeout = absl::Seconds(-1);  // gRPC may round 0 seconds up.
  server_.Play(found_);
  EXPECT_TRUE(absl::IsDeadlineExceeded(client_.Get(get_, options_).status()));
}

TEST_F(GetTest, CancelEndsAWait) {
  options_.canceller = std::make_shared<CallCanceller>();
  clock_->OnWait([this] { options_.canceller->Cancel(); });
  server_.PlayInTurn({List({}, Gone()), found_});
  EXPECT_TRUE(absl::IsCancelled(client_.Get(get_, options_).status()));
  EXPECT_THAT(server_.get_requests(), SizeIs(1));
}

}  // namespace
}  // namespace rollcall
