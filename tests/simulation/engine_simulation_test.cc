// Runs many seeds. ROLLCALL_SIMULATION_SEEDS=N runs N seeds instead of the default number, and
// ROLLCALL_SIMULATION_SEED=S only seed S.
#include "tests/simulation/engine_simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

namespace rollcall::service::simulation {
namespace {

constexpr uint64_t kShards = 4;
constexpr uint64_t kDefaultSeeds = 10000;

std::optional<uint64_t> NumberFrom(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  return std::stoull(text);
}

class EngineSimulationTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(EngineSimulationTest, HoldsInvariants) {
  const std::optional<uint64_t> only = NumberFrom("ROLLCALL_SIMULATION_SEED");
  const uint64_t seeds = NumberFrom("ROLLCALL_SIMULATION_SEEDS").value_or(kDefaultSeeds);
  Result total;
  for (uint64_t seed = GetParam(); seed < seeds; seed += kShards) {
    const Result result = Simulate(only.value_or(seed));
    ASSERT_EQ(result.violation, "") << "ROLLCALL_SIMULATION_SEED=" << only.value_or(seed);
    total.calls += result.calls;
    total.requests += result.requests;
    total.records += result.records;
    total.faults += result.faults;
    total.expired_pages += result.expired_pages;
    total.duplicates += result.duplicates;
    total.crashes += result.crashes;
    total.partial_batches += result.partial_batches;
    total.drains += result.drains;
    total.breaker_openings += result.breaker_openings;
    total.queue_full += result.queue_full;
    total.times_waiting += result.times_waiting;
    total.times_stalled += result.times_stalled;
    if (only) break;
  }
  std::cout << total.calls << " calls, " << total.requests << " requests, " << total.records
            << " records, " << total.faults << " faults, " << total.expired_pages
            << " expired pages, " << total.duplicates << " duplicates skipped, " << total.crashes
            << " crashes, " << total.partial_batches << " in the middle of a batch, "
            << total.drains << " drains, " << total.breaker_openings << " breaker openings, "
            << total.queue_full << " calls refused\n";
  if (only || seeds < 1000) return;
  EXPECT_GT(total.faults, 0);
  EXPECT_GT(total.expired_pages, 0);
  EXPECT_GT(total.duplicates, 0);
  EXPECT_GT(total.crashes, 0);
  EXPECT_GT(total.partial_batches, 0);
  EXPECT_GT(total.drains, 0);
  EXPECT_GT(total.breaker_openings, 0);
  EXPECT_GT(total.queue_full, 0);
  EXPECT_GT(total.times_waiting, 0);
  EXPECT_GT(total.times_stalled, 0);
}

INSTANTIATE_TEST_SUITE_P(Shard, EngineSimulationTest, ::testing::Range(uint64_t{0}, kShards));

TEST(EngineSimulation, SameSeedGivesSameRun) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    EXPECT_EQ(Simulate(seed), Simulate(seed)) << seed;
  }
}

}  // namespace
}  // namespace rollcall::service::simulation
