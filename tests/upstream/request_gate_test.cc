// Who goes out when, and who is refused. Decisions come on the thread of an event loop, for which
// the test waits.
#include "service/upstream/request_gate.h"

#include <gmock/gmock.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "service/error/error.h"

namespace rollcall {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = RequestGate::Kind;
using Place = RequestGate::Place;

class RequestGateTest : public ::testing::Test {
 protected:
  // Runs `task` on the loop's thread and waits for it, and with it for all decisions before it.
  void OnLoop(const std::function<void()>& task) {
    std::promise<void> done;
    loop_.Post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  void MakeGate(const RequestLimits& limits, const BreakerSettings& breaker = {}) {
    gate_ = std::make_unique<RequestGate>(
        limits, breaker, [this](bool up) { changes_.push_back(up); }, [this] { return now_; });
  }

  // The place of a request whose decision is noted under its name.
  std::unique_ptr<Place> Enter(Kind kind, const std::string& name, const std::string& caller = "") {
    return gate_->Enter(kind, caller, loop_, [this, name](const absl::Status& status) {
      if (status.ok()) {
        out_.push_back(name);
      } else {
        refused_.push_back(ReasonOf(status));
      }
    });
  }

  // The names of the requests that went out since the last time.
  std::vector<std::string> Out() {
    std::vector<std::string> out;
    OnLoop([&] { out = std::exchange(out_, {}); });
    return out;
  }
  std::vector<v1::ErrorReason> Refused() {
    std::vector<v1::ErrorReason> refused;
    OnLoop([&] { refused = std::exchange(refused_, {}); });
    return refused;
  }

  // Places are given up on the loop's thread.
  void Drop(std::unique_ptr<Place>& place) {
    OnLoop([&] { place.reset(); });
  }

  EventLoop loop_;
  std::unique_ptr<RequestGate> gate_;
  std::vector<bool> changes_;
  RequestGate::Clock::time_point now_ = RequestGate::Clock::time_point() + std::chrono::hours(1);
  // Of the loop's thread.
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
  Drop(a);
  EXPECT_THAT(Out(), ElementsAre("c"));
  Drop(d);
  Drop(b);
  EXPECT_THAT(Out(), IsEmpty());
  Drop(c);
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
  Drop(running);
  EXPECT_THAT(Out(), ElementsAre("running", "much 1"));
  Drop(much[0]);
  EXPECT_THAT(Out(), ElementsAre("little"));
  Drop(little);
  EXPECT_THAT(Out(), ElementsAre("much 2"));
  Drop(much[1]);
  EXPECT_THAT(Out(), ElementsAre("wanted"));
  Drop(wanted);
  EXPECT_THAT(Out(), ElementsAre("early"));
  Drop(early);
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
  Drop(waiting);
  auto again = Enter(Kind::kFirst, "again");
  EXPECT_THAT(Refused(), IsEmpty());
  for (auto* place : {&refused, &again, &another, &early, &next, &running}) Drop(*place);
}

TEST_F(RequestGateTest, WhatStandsStillCountsAsAConnectionOnly) {
  MakeGate({.max_in_flight = 1, .max_connections = 2});
  auto a = Enter(Kind::kFirst, "a");
  auto b = Enter(Kind::kFirst, "b");
  auto c = Enter(Kind::kFirst, "c");
  EXPECT_THAT(Out(), ElementsAre("a"));
  OnLoop([&] { a->StandStill(); });
  EXPECT_THAT(Out(), ElementsAre("b"));
  OnLoop([&] { b->StandStill(); });
  EXPECT_THAT(Out(), IsEmpty());
  Drop(a);
  EXPECT_THAT(Out(), ElementsAre("c"));
  Drop(b);
  Drop(c);
}

TEST_F(RequestGateTest, FewerGoOutWhileTheAccountHasTooMany) {
  for (const auto& [status, account_requests] : {std::pair(429, 0), std::pair(200, 5)}) {
    MakeGate({.max_in_flight = 4});
    std::vector<std::unique_ptr<Place>> places;
    for (const char* name : {"1", "2", "3", "4"}) places.push_back(Enter(Kind::kFirst, name));
    EXPECT_THAT(Out(), ElementsAre("1", "2", "3", "4"));
    places[0]->OnAnswer(status, account_requests);
    Drop(places[0]);
    Drop(places[1]);
    places.push_back(Enter(Kind::kFirst, "5"));
    EXPECT_THAT(Out(), IsEmpty()) << status;
    Drop(places[2]);
    EXPECT_THAT(Out(), ElementsAre("5"));
    for (auto& place : places) Drop(place);
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
  for (auto* place : {&a, &b, &c, &d}) Drop(*place);

  // One is let through once the time is over; it is the only one.
  now_ += std::chrono::seconds(5);
  auto probe = Enter(Kind::kFirst, "probe");
  EXPECT_THAT(Out(), ElementsAre("probe"));
  auto another = Enter(Kind::kNext, "another");
  EXPECT_THAT(Refused(), ElementsAre(v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN));
  // A probe that is given up leaves it to the next.
  Drop(probe);
  probe = Enter(Kind::kFirst, "second probe");
  EXPECT_THAT(Out(), ElementsAre("second probe"));
  probe->OnAnswer(404, 0);
  EXPECT_THAT(changes_, ElementsAre(false, true));
  auto last = Enter(Kind::kFirst, "last");
  EXPECT_THAT(Out(), ElementsAre("last"));
  for (auto* place : {&another, &probe, &last}) Drop(*place);
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
  for (auto* place : {&a, &b, &c, &probe, &another, &last}) Drop(*place);
}

TEST_F(RequestGateTest, APlaceThatIsGivenUpHearsNothing) {
  MakeGate({.max_in_flight = 1});
  OnLoop([&] {
    auto a = Enter(Kind::kFirst, "a");
    auto b = Enter(Kind::kFirst, "b");
    a.reset();  // and with it, b goes out; but not before this task is over
    b.reset();
  });
  EXPECT_THAT(Out(), IsEmpty());
  auto c = Enter(Kind::kFirst, "c");
  EXPECT_THAT(Out(), ElementsAre("c"));
  Drop(c);
}

}  // namespace
}  // namespace rollcall
