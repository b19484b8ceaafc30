// Which requests are sent when, and which are refused.
#include "service/upstream/request_gate.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "service/error/error.h"
#include "tests/fakes/fake_scheduler.h"

namespace rollcall {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = RequestGate::Kind;
using Place = RequestGate::Place;

class RequestGateTest : public ::testing::Test {
 protected:
  void MakeGate(const RequestLimits& limits, const BreakerSettings& breaker = {}) {
    gate_ = std::make_unique<RequestGate>(
        limits, breaker, [this](bool up) { changes_.push_back(up); }, [this] { return now_; });
  }

  // The place of a request whose decision is noted under its name.
  std::unique_ptr<Place> Enter(Kind kind, const std::string& name, const std::string& caller = "") {
    return gate_->Enter(kind, caller, scheduler_, [this, name](const absl::Status& status) {
      if (status.ok()) {
        out_.push_back(name);
      } else {
        refused_.push_back(ReasonOf(status));
      }
    });
  }

  // The names of the requests that went out since the last time.
  std::vector<std::string> Out() {
    scheduler_.Run();
    return std::exchange(out_, {});
  }
  std::vector<v1::ErrorReason> Refused() {
    scheduler_.Run();
    return std::exchange(refused_, {});
  }

  FakeScheduler scheduler_;
  std::unique_ptr<RequestGate> gate_;
  std::vector<bool> changes_;
  RequestGate::Clock::time_point now_ = RequestGate::Clock::time_point() + std::chrono::hours(1);
  std::vector<std::string> out_;
  std::vector<v1::ErrorReason> refused_;
};

TEST_F(RequestGateTest, AsManyAsAllowedGoOutAndTheRestInTurn) {
  MakeGate({.max_in_flight = 2});
  auto a = Enter(Kind::kFirst, "a");
  auto b = Enter(Kind::kFirst, "b");
  auto c = Enter(Kind::kFirst, "c");
  auto d = Enter(Kind::kFirst, "d");
  EXPECT_THAT(Out(), ElementsAre("a", "b"));
  a.reset();
  EXPECT_THAT(Out(), ElementsAre("c"));
  d.reset();
  b.reset();
  EXPECT_THAT(Out(), IsEmpty());
  c.reset();
}

TEST_F(RequestGateTest, CallersAreServedInTurnAndPrefetchesLast) {
  MakeGate({.max_in_flight = 1});
  auto running = Enter(Kind::kFirst, "running");
  auto early = Enter(Kind::kPrefetch, "early", "much");
  auto wanted = Enter(Kind::kPrefetch, "wanted", "much");
  std::vector<std::unique_ptr<Place>> much;
  much.push_back(Enter(Kind::kFirst, "much 1", "much"));
  much.push_back(Enter(Kind::kNext, "much 2", "much"));
  auto little = Enter(Kind::kFirst, "little", "little");
  wanted->Want();
  EXPECT_THAT(Out(), ElementsAre("running"));
  running.reset();
  EXPECT_THAT(Out(), ElementsAre("much 1"));
  much[0].reset();
  EXPECT_THAT(Out(), ElementsAre("little"));
  little.reset();
  EXPECT_THAT(Out(), ElementsAre("much 2"));
  much[1].reset();
  EXPECT_THAT(Out(), ElementsAre("wanted"));
  wanted.reset();
  EXPECT_THAT(Out(), ElementsAre("early"));
  early.reset();
}

TEST_F(RequestGateTest, OnlyNewCallsAreRefusedWhereTooManyWait) {
  MakeGate({.max_in_flight = 1, .max_waiting = 1});
  auto running = Enter(Kind::kFirst, "running");
  auto next = Enter(Kind::kNext, "next");
  auto early = Enter(Kind::kPrefetch, "early");
  auto waiting = Enter(Kind::kFirst, "waiting");
  EXPECT_THAT(Refused(), IsEmpty());
  auto refused = Enter(Kind::kFirst, "refused");
  EXPECT_THAT(Refused(), ElementsAre(v1::ERROR_REASON_UPSTREAM_QUEUE_FULL));
  auto another = Enter(Kind::kNext, "another");
  EXPECT_THAT(Refused(), IsEmpty());
  waiting.reset();
  auto again = Enter(Kind::kFirst, "again");
  EXPECT_THAT(Refused(), IsEmpty());
  for (auto* place : {&refused, &again, &another, &early, &next, &running}) place->reset();
}

TEST_F(RequestGateTest, WhatStandsStillCountsAsAConnectionOnly) {
  MakeGate({.max_in_flight = 1, .max_connections = 2});
  auto a = Enter(Kind::kFirst, "a");
  auto b = Enter(Kind::kFirst, "b");
  auto c = Enter(Kind::kFirst, "c");
  EXPECT_THAT(Out(), ElementsAre("a"));
  a->StandStill();
  EXPECT_THAT(Out(), ElementsAre("b"));
  b->StandStill();
  EXPECT_THAT(Out(), IsEmpty());
  a.reset();
  EXPECT_THAT(Out(), ElementsAre("c"));
  b.reset();
  c.reset();
}

TEST_F(RequestGateTest, FewerGoOutWhileTheAccountHasTooMany) {
  for (const auto& [status, account_requests] : {std::pair(429, 0), std::pair(200, 5)}) {
    MakeGate({.max_in_flight = 4});
    std::vector<std::unique_ptr<Place>> places;
    for (const char* name : {"1", "2", "3", "4"}) places.push_back(Enter(Kind::kFirst, name));
    EXPECT_THAT(Out(), ElementsAre("1", "2", "3", "4"));
    places[0]->OnAnswer(status, account_requests);
    places[0].reset();
    places[1].reset();
    places.push_back(Enter(Kind::kFirst, "5"));
    EXPECT_THAT(Out(), IsEmpty()) << status;
    places[2].reset();
    EXPECT_THAT(Out(), ElementsAre("5"));
    for (auto& place : places) place.reset();
  }
}

TEST_F(RequestGateTest, AnUpstreamThatIsDownIsAskedNothingUntilAProbeIsAnswered) {
  MakeGate({.max_in_flight = 2}, {2, std::chrono::seconds(5)});
  auto a = Enter(Kind::kFirst, "a");
  auto b = Enter(Kind::kFirst, "b");
  auto c = Enter(Kind::kNext, "c");
  auto d = Enter(Kind::kPrefetch, "d");
  EXPECT_THAT(Out(), ElementsAre("a", "b"));
  a->OnNoAnswer();
  b->OnAnswer(503, 0);
  // Those who wait hear of it.
  EXPECT_THAT(Refused(), ElementsAre(v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN,
                                     v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN));
  EXPECT_THAT(changes_, ElementsAre(false));
  for (auto* place : {&a, &b, &c, &d}) place->reset();

  // One is let through once the time is over; it is the only one.
  now_ += std::chrono::seconds(5);
  auto probe = Enter(Kind::kFirst, "probe");
  EXPECT_THAT(Out(), ElementsAre("probe"));
  auto another = Enter(Kind::kNext, "another");
  EXPECT_THAT(Refused(), ElementsAre(v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN));
  // A probe that is given up leaves it to the next.
  probe.reset();
  probe = Enter(Kind::kFirst, "second probe");
  EXPECT_THAT(Out(), ElementsAre("second probe"));
  probe->OnAnswer(404, 0);
  EXPECT_THAT(changes_, ElementsAre(false, true));
  auto last = Enter(Kind::kFirst, "last");
  EXPECT_THAT(Out(), ElementsAre("last"));
  for (auto* place : {&another, &probe, &last}) place->reset();
}

TEST_F(RequestGateTest, RequestsFromBeforeSayNothingOfTheProbe) {
  MakeGate({.max_in_flight = 5}, {1, std::chrono::seconds(5)});
  auto a = Enter(Kind::kFirst, "a");
  auto b = Enter(Kind::kFirst, "b");
  auto c = Enter(Kind::kFirst, "c");
  EXPECT_THAT(Out(), ElementsAre("a", "b", "c"));
  a->OnNoAnswer();
  EXPECT_THAT(changes_, ElementsAre(false));
  now_ += std::chrono::seconds(5);
  auto probe = Enter(Kind::kFirst, "probe");
  EXPECT_THAT(Out(), ElementsAre("probe"));
  b->OnNoAnswer();  // the probe is still the only one
  auto another = Enter(Kind::kNext, "another");
  EXPECT_THAT(Refused(), ElementsAre(v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN));
  c->OnAnswer(200, 0);  // it is up after all
  auto last = Enter(Kind::kNext, "last");
  EXPECT_THAT(Out(), ElementsAre("last"));
  EXPECT_THAT(changes_, ElementsAre(false, true));
  for (auto* place : {&a, &b, &c, &probe, &another, &last}) place->reset();
}

TEST_F(RequestGateTest, APlaceThatIsGivenUpHearsNothing) {
  MakeGate({.max_in_flight = 1});
  auto a = Enter(Kind::kFirst, "a");
  auto b = Enter(Kind::kFirst, "b");
  a.reset();  // which admits b, but does not call it from here
  b.reset();
  EXPECT_THAT(Out(), IsEmpty());
  auto c = Enter(Kind::kFirst, "c");
  EXPECT_THAT(Out(), ElementsAre("c"));
  c.reset();
}

}  // namespace
}  // namespace rollcall
