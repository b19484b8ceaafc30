// Runs many seeds. ROLLCALL_SIMULATION_SEEDS=N runs N seeds instead of the default number, and
// ROLLCALL_SIMULATION_SEED=S only seed S.
#include "tests/simulation/engine_simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

namespace rollcall::simulation {
namespace {

constexpr uint64_t kShards = 4;
constexpr uint64_t kDefaultSeeds = 10000;

std::optional<uint64_t> NumberFrom(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  return std::stoull(text);
}

class EngineSimulationTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(EngineSimulationTest, KeepsItsInvariants) {
  const std::optional<uint64_t> only = NumberFrom("ROLLCALL_SIMULATION_SEED");
  const uint64_t seeds = NumberFrom("ROLLCALL_SIMULATION_SEEDS").value_or(kDefaultSeeds);
  Result total;
  for (uint64_t seed = GetParam(); seed < seeds; seed += kShards) {
    const Result result = Simulate(only.value_or(seed));
    ASSERT_EQ(result.violation, "") << "ROLLCALL_SIMULATION_SEED=" << only.value_or(seed);
    total.calls += result.calls;
    total.requests += result.requests;
    total.faults += result.faults;
    total.records += result.records;
    total.duplicates += result.duplicates;
    total.drains += result.drains;
    if (only) break;
  }
  std::cout << total.calls << " calls, " << total.requests << " requests, " << total.faults
            << " faults, " << total.records << " records, " << total.duplicates
            << " duplicates skipped, " << total.drains << " drains\n";
  if (only || seeds < 100) return;
  EXPECT_GT(total.faults, 0);
  EXPECT_GT(total.duplicates, 0);
  EXPECT_GT(total.drains, 0);
}

INSTANTIATE_TEST_SUITE_P(Shard, EngineSimulationTest, ::testing::Range(uint64_t{0}, kShards));

TEST(EngineSimulation, TheSameSeedGivesTheSameRun) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const Result first = Simulate(seed);
    const Result second = Simulate(seed);
    EXPECT_EQ(first.violation, second.violation);
    EXPECT_EQ(first.requests, second.requests) << seed;
    EXPECT_EQ(first.calls, second.calls) << seed;
    EXPECT_EQ(first.duplicates, second.duplicates) << seed;
  }
}

}  // namespace
}  // namespace rollcall::simulation
