// Which requests are granted a permit and when, and which are refused.
#include "service/upstream/concurrency_limiter.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "service/error/error.h"
#include "tests/fakes/fake_scheduler.h"

namespace rollcall::service {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = ConcurrencyLimiter::Kind;
using Permit = ConcurrencyLimiter::Permit;
using Failure = CircuitBreaker::Failure;

constexpr CircuitBreaker::Target kAnyTarget = 1;

class ConcurrencyLimiterTest : public ::testing::Test {
 protected:
  void MakeLimiter(const LimiterOptions& limits, const BreakerOptions& breaker = {}) {
    limiter_ = std::make_unique<ConcurrencyLimiter>(
        limits, breaker, [this](bool up) { changes_.push_back(up); }, [this] { return now_; });
  }

  // Acquires a permit, and records the decision under its name.
  std::unique_ptr<Permit> Acquire(Kind kind, const std::string& name,
                                  const std::string& caller = "") {
    return limiter_->Acquire(kind, caller, kAnyTarget, scheduler_,
                             [this, name](const absl::Status& status) {
                               if (status.ok()) {
                                 out_.push_back(name);
                               } else {
                                 refused_.push_back(ReasonOf(status));
                                 refused_names_.push_back(name);
                               }
                             });
  }

  // The names of the requests that were granted since the last call.
  std::vector<std::string> Out() {
    scheduler_.Run();
    return std::exchange(out_, {});
  }
  std::vector<v1::ErrorReason> Refused() {
    scheduler_.Run();
    return std::exchange(refused_, {});
  }

  FakeScheduler scheduler_;
  std::unique_ptr<ConcurrencyLimiter> limiter_;
  std::vector<bool> changes_;
  ConcurrencyLimiter::Clock::time_point now_ =
      ConcurrencyLimiter::Clock::time_point() + std::chrono::hours(1);
  std::vector<std::string> out_;
  std::vector<v1::ErrorReason> refused_;
  std::vector<std::string> refused_names_;
};

TEST_F(ConcurrencyLimiterTest, GrantsUpToTheLimitAndTheRestInOrder) {
  MakeLimiter({.max_in_flight = 2});
  auto a = Acquire(Kind::kFirst, "a");
  auto b = Acquire(Kind::kFirst, "b");
  auto c = Acquire(Kind::kFirst, "c");
  auto d = Acquire(Kind::kFirst, "d");
  EXPECT_THAT(Out(), ElementsAre("a", "b"));
  a.reset();
  EXPECT_THAT(Out(), ElementsAre("c"));
  d.reset();
  b.reset();
  EXPECT_THAT(Out(), IsEmpty());
  c.reset();
}

TEST_F(ConcurrencyLimiterTest, ServesCallersInTurnAndPrefetchesLast) {
  MakeLimiter({.max_in_flight = 1});
  auto running = Acquire(Kind::kFirst, "running");
  auto early = Acquire(Kind::kPrefetch, "early", "much");
  auto wanted = Acquire(Kind::kPrefetch, "wanted", "much");
  std::vector<std::unique_ptr<Permit>> much;
  much.push_back(Acquire(Kind::kFirst, "much 1", "much"));
  much.push_back(Acquire(Kind::kNext, "much 2", "much"));
  auto little = Acquire(Kind::kFirst, "little", "little");
  wanted->Promote();
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

TEST_F(ConcurrencyLimiterTest, RefusesOnlyNewCallsWhenTheQueueIsFull) {
  MakeLimiter({.max_in_flight = 1, .max_waiting = 1});
  auto running = Acquire(Kind::kFirst, "running");
  auto next = Acquire(Kind::kNext, "next");
  auto early = Acquire(Kind::kPrefetch, "early");
  auto waiting = Acquire(Kind::kFirst, "waiting");
  EXPECT_THAT(Refused(), IsEmpty());
  auto refused = Acquire(Kind::kFirst, "refused");
  EXPECT_THAT(Refused(), ElementsAre(v1::ERROR_REASON_UPSTREAM_QUEUE_FULL));
  auto another = Acquire(Kind::kNext, "another");
  EXPECT_THAT(Refused(), IsEmpty());
  waiting.reset();
  auto again = Acquire(Kind::kFirst, "again");
  EXPECT_THAT(Refused(), IsEmpty());
  for (auto* permit : {&refused, &again, &another, &early, &next, &running}) permit->reset();
}

TEST_F(ConcurrencyLimiterTest, CountsAStalledRequestAsAConnectionOnly) {
  MakeLimiter({.max_in_flight = 1, .max_connections = 2});
  auto a = Acquire(Kind::kFirst, "a");
  auto b = Acquire(Kind::kFirst, "b");
  auto c = Acquire(Kind::kFirst, "c");
  EXPECT_THAT(Out(), ElementsAre("a"));
  a->OnStalled();
  EXPECT_THAT(Out(), ElementsAre("b"));
  b->OnStalled();
  EXPECT_THAT(Out(), IsEmpty());
  a.reset();
  EXPECT_THAT(Out(), ElementsAre("c"));
  b.reset();
  c.reset();
}

TEST_F(ConcurrencyLimiterTest, LowersTheLimitAtTooManyRequests) {
  for (const auto& [status, account_requests] : {std::pair(429, 0), std::pair(200, 5)}) {
    MakeLimiter({.max_in_flight = 4});
    std::vector<std::unique_ptr<Permit>> permits;
    for (const char* name : {"1", "2", "3", "4"}) permits.push_back(Acquire(Kind::kFirst, name));
    EXPECT_THAT(Out(), ElementsAre("1", "2", "3", "4"));
    permits[0]->OnResponse(status, account_requests);
    permits[0].reset();
    permits[1].reset();
    permits.push_back(Acquire(Kind::kFirst, "5"));
    EXPECT_THAT(Out(), IsEmpty()) << status;
    permits[2].reset();
    EXPECT_THAT(Out(), ElementsAre("5"));
    for (auto& permit : permits) permit.reset();
  }
}

TEST_F(ConcurrencyLimiterTest, RefusesRequestsUntilAProbeSucceeds) {
  MakeLimiter({.max_in_flight = 2}, {2, std::chrono::seconds(5)});
  auto a = Acquire(Kind::kFirst, "a");
  auto b = Acquire(Kind::kFirst, "b");
  auto c = Acquire(Kind::kNext, "c");
  auto d = Acquire(Kind::kPrefetch, "d");
  EXPECT_THAT(Out(), ElementsAre("a", "b"));
  a->OnNoResponse(Failure::kUnreachable);
  b->OnResponse(503, 0);
  // Waiting requests are refused.
  EXPECT_THAT(Refused(), ElementsAre(v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN,
                                     v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN));
  EXPECT_THAT(changes_, ElementsAre(false));
  for (auto* permit : {&a, &b, &c, &d}) permit->reset();

  // When the time is over, one probe is admitted.
  now_ += std::chrono::seconds(5);
  auto probe = Acquire(Kind::kFirst, "probe");
  EXPECT_THAT(Out(), ElementsAre("probe"));
  auto another = Acquire(Kind::kNext, "another");
  EXPECT_THAT(Refused(), ElementsAre(v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN));
  // If the probe is cancelled, the next request is the probe.
  probe.reset();
  probe = Acquire(Kind::kFirst, "second probe");
  EXPECT_THAT(Out(), ElementsAre("second probe"));
  probe->OnResponse(404, 0);
  EXPECT_THAT(changes_, ElementsAre(false, true));
  auto last = Acquire(Kind::kFirst, "last");
  EXPECT_THAT(Out(), ElementsAre("last"));
  for (auto* permit : {&another, &probe, &last}) permit->reset();
}

TEST_F(ConcurrencyLimiterTest, EarlierRequestsDoNotReplaceTheProbe) {
  MakeLimiter({.max_in_flight = 5}, {1, std::chrono::seconds(5)});
  auto a = Acquire(Kind::kFirst, "a");
  auto b = Acquire(Kind::kFirst, "b");
  auto c = Acquire(Kind::kFirst, "c");
  EXPECT_THAT(Out(), ElementsAre("a", "b", "c"));
  a->OnNoResponse(Failure::kUnreachable);
  EXPECT_THAT(changes_, ElementsAre(false));
  now_ += std::chrono::seconds(5);
  auto probe = Acquire(Kind::kFirst, "probe");
  EXPECT_THAT(Out(), ElementsAre("probe"));
  b->OnNoResponse(Failure::kUnreachable);  // the probe is still the only one
  auto another = Acquire(Kind::kNext, "another");
  EXPECT_THAT(Refused(), ElementsAre(v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN));
  c->OnResponse(200, 0);  // the upstream is up
  auto last = Acquire(Kind::kNext, "last");
  EXPECT_THAT(Out(), ElementsAre("last"));
  EXPECT_THAT(changes_, ElementsAre(false, true));
  for (auto* permit : {&a, &b, &c, &probe, &another, &last}) permit->reset();
}

TEST_F(ConcurrencyLimiterTest, AFailedProbeKeepsTheCircuitOpen) {
  MakeLimiter({.max_in_flight = 5}, {1, std::chrono::seconds(5)});
  auto a = Acquire(Kind::kFirst, "a");
  a->OnNoResponse(Failure::kUnreachable);
  now_ += std::chrono::seconds(5);
  auto probe = Acquire(Kind::kFirst, "probe");
  EXPECT_THAT(Out(), ElementsAre("a", "probe"));
  probe->OnResponse(500, 0);
  EXPECT_THAT(changes_, ElementsAre(false));  // once
  auto early = Acquire(Kind::kFirst, "early");
  EXPECT_THAT(Refused(), ElementsAre(v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN));
  now_ += std::chrono::seconds(10);  // twice as long for the same target
  auto second = Acquire(Kind::kFirst, "second probe");
  EXPECT_THAT(Out(), ElementsAre("second probe"));
  for (auto* permit : {&a, &probe, &early, &second}) permit->reset();
}

TEST_F(ConcurrencyLimiterTest, AProbeWithoutAnOutcomeIsReplaced) {
  MakeLimiter({.max_in_flight = 5}, {1, std::chrono::seconds(5)});
  auto a = Acquire(Kind::kFirst, "a");
  a->OnNoResponse(Failure::kUnreachable);
  now_ += std::chrono::seconds(5);
  auto hanging = Acquire(Kind::kFirst, "hanging");
  now_ += std::chrono::seconds(5);
  auto probe = Acquire(Kind::kFirst, "probe");
  EXPECT_THAT(Out(), ElementsAre("a", "hanging", "probe"));
  hanging->OnNoResponse(Failure::kUnreachable);  // is no longer the probe
  hanging.reset();
  EXPECT_TRUE(limiter_->counts().circuit_open);
  auto early = Acquire(Kind::kFirst, "early");
  EXPECT_THAT(Refused(), ElementsAre(v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN));
  probe->OnResponse(200, 0);
  EXPECT_FALSE(limiter_->counts().circuit_open);
  for (auto* permit : {&a, &probe, &early}) permit->reset();
}

TEST_F(ConcurrencyLimiterTest, RaisesTheLimitWhileItIsReached) {
  MakeLimiter({.max_in_flight = 4});
  std::vector<std::unique_ptr<Permit>> permits;
  for (const char* name : {"1", "2", "3", "4"}) permits.push_back(Acquire(Kind::kFirst, name));
  now_ += std::chrono::seconds(1);
  permits[0]->OnResponse(429, 0);
  permits[1]->OnResponse(429, 0);  // was sent before the limit was lowered
  EXPECT_EQ(limiter_->counts().limit, 2);
  permits.clear();

  for (int round = 0; round < 2; ++round) {
    for (const char* name : {"5", "6"}) permits.push_back(Acquire(Kind::kNext, name));
    for (auto& permit : permits) permit->OnResponse(200, 0);
    permits.clear();
  }
  EXPECT_EQ(limiter_->counts().limit, 3);
  permits.push_back(Acquire(Kind::kNext, "7"));
  for (int i = 0; i < 100; ++i) permits[0]->OnResponse(200, 0);  // one in flight of three
  EXPECT_EQ(limiter_->counts().limit, 3);
}

TEST_F(ConcurrencyLimiterTest, CountsEachState) {
  MakeLimiter({.max_in_flight = 2});
  auto stalled = Acquire(Kind::kFirst, "stalled");
  stalled->OnStalled();
  stalled->OnStalled();  // no effect
  auto a = Acquire(Kind::kFirst, "a");
  auto b = Acquire(Kind::kNext, "b");
  auto waiting = Acquire(Kind::kFirst, "waiting");
  auto prefetch = Acquire(Kind::kPrefetch, "prefetch");
  waiting->OnStalled();  // no effect
  a->Promote();          // no effect
  const ConcurrencyLimiter::Counts counts = limiter_->counts();
  EXPECT_EQ(counts.waiting, 2);
  EXPECT_EQ(counts.in_flight, 2);
  EXPECT_EQ(counts.stalled, 1);
  EXPECT_EQ(counts.limit, 2);
  EXPECT_FALSE(counts.circuit_open);
  for (auto* permit : {&stalled, &a, &b, &waiting, &prefetch}) permit->reset();
  EXPECT_EQ(limiter_->counts().waiting, 0);
  EXPECT_EQ(limiter_->counts().in_flight, 0);
  EXPECT_EQ(limiter_->counts().stalled, 0);
}

TEST_F(ConcurrencyLimiterTest, RefusalsHaveARetryDelay) {
  MakeLimiter({.max_in_flight = 1, .max_waiting = 0}, {1, std::chrono::seconds(5)});
  std::vector<std::chrono::milliseconds> delays;
  const auto acquire = [&] {
    return limiter_->Acquire(Kind::kFirst, "", kAnyTarget, scheduler_,
                             [&](const absl::Status& status) {
                               if (!status.ok()) delays.push_back(RetryDelayOf(status).value());
                             });
  };
  auto a = acquire();
  auto full = acquire();
  a->OnNoResponse(Failure::kUnreachable);
  auto open = acquire();
  scheduler_.Run();
  EXPECT_THAT(delays, ElementsAre(std::chrono::seconds(1), std::chrono::seconds(5)));
  for (auto* permit : {&a, &full, &open}) permit->reset();
}

TEST_F(ConcurrencyLimiterTest, OneCallerLeavesConnectionsToOthers) {
  MakeLimiter({.max_in_flight = 10, .max_connections = 10});
  std::vector<std::unique_ptr<Permit>> permits;
  for (int i = 0; i < 20; ++i) {
    permits.push_back(Acquire(Kind::kFirst, "greedy", "greedy"));
    permits.back()->OnStalled();
  }
  EXPECT_THAT(Out(), SizeIs(8));
  auto other = Acquire(Kind::kFirst, "other", "other");
  EXPECT_THAT(Out(), ElementsAre("other"));
  // Waiting requests of the same caller are served as soon as its share allows.
  permits.pop_back();
  EXPECT_THAT(Out(), IsEmpty());
  permits.erase(permits.begin(), permits.begin() + 4);
  EXPECT_THAT(Out(), SizeIs(4));
  other.reset();
  permits.clear();
}

TEST_F(ConcurrencyLimiterTest, RequestsThatWaitTakeTheConnectionsOfIdlePrefetches) {
  MakeLimiter({.max_in_flight = 10, .max_connections = 4});
  auto page = Acquire(Kind::kFirst, "page", "greedy");
  auto prefetch = Acquire(Kind::kPrefetch, "prefetch", "greedy");
  auto second = Acquire(Kind::kFirst, "second", "greedy");
  EXPECT_THAT(Out(), ElementsAre("page", "prefetch", "second"));
  page->OnStalled();
  second->OnStalled();
  auto other = Acquire(Kind::kFirst, "other", "other");
  auto waiting = Acquire(Kind::kFirst, "waiting", "other");
  EXPECT_THAT(Out(), ElementsAre("other"));
  EXPECT_THAT(Refused(), IsEmpty());  // the prefetch is still in flight
  prefetch->OnStalled();
  EXPECT_THAT(Refused(), ElementsAre(v1::ERROR_REASON_UPSTREAM_QUEUE_FULL));
  EXPECT_THAT(refused_names_, ElementsAre("prefetch"));
  EXPECT_THAT(Out(), IsEmpty());  // until the prefetch is cancelled
  prefetch.reset();
  EXPECT_THAT(Out(), ElementsAre("waiting"));
  for (auto* permit : {&page, &second, &other, &waiting}) permit->reset();
  EXPECT_EQ(limiter_->counts().stalled, 0);
}

TEST_F(ConcurrencyLimiterTest, APromotedPrefetchKeepsItsConnection) {
  MakeLimiter({.max_in_flight = 10, .max_connections = 4});
  auto first = Acquire(Kind::kPrefetch, "first", "a");
  auto second = Acquire(Kind::kPrefetch, "second", "a");
  auto page = Acquire(Kind::kNext, "page", "b");
  auto page2 = Acquire(Kind::kNext, "page 2", "b");
  EXPECT_THAT(Out(), ElementsAre("first", "second", "page", "page 2"));
  first->OnStalled();
  second->OnStalled();
  auto waiting = Acquire(Kind::kFirst, "waiting", "b");
  first->Promote();  // while its connection is taken back
  scheduler_.Run();
  EXPECT_THAT(refused_names_, ElementsAre("first", "second"));
  // The holder of the first ignores it, that of the second gives up.
  second.reset();
  EXPECT_THAT(Out(), ElementsAre("waiting"));
  for (auto* permit : {&first, &page, &page2, &waiting}) permit->reset();
  EXPECT_EQ(limiter_->counts().stalled, 0);
  EXPECT_EQ(limiter_->counts().in_flight, 0);
}

TEST_F(ConcurrencyLimiterTest, NoPrefetchTakesAConnectionThatAPageWaitsFor) {
  MakeLimiter({.max_in_flight = 10, .max_connections = 5});
  std::vector<std::unique_ptr<Permit>> pages;
  for (int i = 0; i < 6; ++i) pages.push_back(Acquire(Kind::kNext, "page", "greedy"));
  EXPECT_THAT(Out(), SizeIs(4));
  auto prefetch = Acquire(Kind::kPrefetch, "prefetch", "other");
  EXPECT_THAT(Out(), IsEmpty());
  pages.erase(pages.begin());
  EXPECT_THAT(Out(), ElementsAre("page"));
  pages.erase(pages.begin());
  EXPECT_THAT(Out(), ElementsAre("page", "prefetch"));
  prefetch.reset();
}

TEST_F(ConcurrencyLimiterTest, SharesAFullQueue) {
  MakeLimiter({.max_in_flight = 1, .max_waiting = 4});
  auto running = Acquire(Kind::kFirst, "running");
  auto next = Acquire(Kind::kNext, "next", "much");
  std::vector<std::unique_ptr<Permit>> permits;
  for (const char* name : {"1", "2", "3", "4", "5"}) {
    permits.push_back(Acquire(Kind::kFirst, name, "much"));
  }
  scheduler_.Run();
  EXPECT_THAT(refused_names_, ElementsAre("5"));
  auto last = Acquire(Kind::kNext, "last", "much");
  for (const char* name : {"6", "7", "8"}) {
    permits.push_back(Acquire(Kind::kFirst, name, "little"));
  }
  EXPECT_THAT(Refused(), Each(v1::ERROR_REASON_UPSTREAM_QUEUE_FULL));
  // Each caller has two then.
  EXPECT_THAT(refused_names_, ElementsAre("5", "4", "3", "8"));
  permits.push_back(Acquire(Kind::kFirst, "9", "third"));
  scheduler_.Run();
  EXPECT_THAT(refused_names_.size(), 5);
  EXPECT_EQ(limiter_->counts().waiting, 6);  // with two later pages
  for (auto* permit : {&running, &next, &last}) permit->reset();
  permits.clear();
  EXPECT_EQ(limiter_->counts().waiting, 0);
}

TEST_F(ConcurrencyLimiterTest, OneFailingTargetDoesNotOpenTheCircuit) {
  MakeLimiter({.max_in_flight = 10}, {8, std::chrono::seconds(5)});
  auto permit = Acquire(Kind::kFirst, "a");
  for (int i = 0; i < 100; ++i) {
    permit->OnResponse(500, 0);
    permit->OnNoResponse(Failure::kRequest);
  }
  EXPECT_FALSE(limiter_->counts().circuit_open);
  for (int i = 0; i < 8; ++i) permit->OnNoResponse(Failure::kUnreachable);
  EXPECT_TRUE(limiter_->counts().circuit_open);
}

TEST_F(ConcurrencyLimiterTest, DoesNotCallADestroyedPermit) {
  MakeLimiter({.max_in_flight = 1});
  auto a = Acquire(Kind::kFirst, "a");
  auto b = Acquire(Kind::kFirst, "b");
  a.reset();  // grants b, whose callback is posted
  b.reset();
  EXPECT_THAT(Out(), IsEmpty());
  auto c = Acquire(Kind::kFirst, "c");
  EXPECT_THAT(Out(), ElementsAre("c"));
  c.reset();
}

}  // namespace
}  // namespace rollcall::service
