// Random faults: a list must still be complete, by retries within a call and by resume tokens
// between calls of the client library.
//
// A schedule depends only on its seed: the fault for a request follows from the seed, the target,
// and how often that target was requested before. To run a failed seed by itself:
//
//   ROLLCALL_SEED=123 end_to_end_test --gtest_filter='*RandomSchedule*'
#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "rollcall/participant_client.h"
#include "tests/end_to_end/end_to_end.h"
#include "tests/end_to_end/patient_caller.h"

namespace rollcall {
namespace {

using simulator::Api;
using simulator::Fault;
using simulator::Request;

constexpr int kShards = 10;
constexpr int kSeedsPerShard = 100;
// After this many attempts, a request succeeds, so that every list ends.
constexpr int kFaultyAttempts = 30;
// Prefix of the sids of participants that join during a list; no generated list contains it.
constexpr char kNewcomer[] = "CPfffffffffffffffffffffff";

// The faults of one seed. Thread-safe.
class Schedule {
 public:
  explicit Schedule(unsigned seed) : seed_(seed) {}

  Fault Next(const Request& request) {
    int attempt = 0;
    {
      const std::lock_guard lock(mutex_);
      attempt = attempts_[request.target]++;
    }
    std::vector<unsigned> key(request.target.begin(), request.target.end());
    key.push_back(seed_);
    std::seed_seq of_page(key.begin(), key.end());
    std::mt19937 random(of_page);

    Fault fault;
    // On some pages a participant joins, so that all others move one position further.
    if (random() % 4 == 0 && attempt >= static_cast<int>(random() % 3)) {
      fault.edit_body = [number = random() % 100000000](std::string body) {
        const std::string array = "\"participants\": [";
        const size_t begin = body.find(array);
        if (begin == std::string::npos) return body;
        const size_t at = begin + array.size();
        return body.insert(at, absl::StrCat(R"({"participant_sid":")", kNewcomer,
                                            100000000 + number, body[at] == ']' ? "\"}" : "\"},"));
      };
    }
    if (attempt >= kFaultyAttempts) return fault;

    random.discard(static_cast<unsigned>(attempt) * 8);
    fault.piece_bytes = random() % 3 == 0 ? 0 : 1 + random() % 5000;
    fault.chunked = random() % 2 == 0;
    const auto choice = random() % 100;
    const auto byte = random() % 16000;
    if (choice < 8) return simulator::Respond(503, "<html><body>busy</body></html>");
    if (choice < 14) {
      Fault limited = simulator::Respond(429, R"({"code":20429,"status":429})");
      // Rarely one second, the shortest delay that the header can express except none.
      limited.answer->headers.emplace_back("Retry-After", byte % 60 == 0 ? "1" : "0");
      return limited;
    }
    if (choice < 22) {
      fault.cut_before_head = true;
    } else if (choice < 44) {
      fault.cut_after = byte;
    } else if (choice < 45) {
      // Never released: rollcalld has to time out.
      fault.hold_before_head = byte % 2 == 0;
      fault.hold_after = byte;
    } else if (choice < 50) {
      fault.piece_bytes = 1 + byte % 16;
    }
    return fault;
  }

 private:
  const unsigned seed_;
  std::mutex mutex_;
  std::map<std::string, int> attempts_;  // by target
};

class RandomScheduleTest : public EndToEndTest, public ::testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    EndToEndTest::SetUp();
    // With short waits only.
    nlohmann::json configuration = {
        {"retry",
         {{"max_attempts", 5}, {"initial_backoff_seconds", 0.002}, {"max_backoff_seconds", 2}}},
        {"circuit_breaker", {{"open_seconds", 0.01}}}};
    configuration["upstreams"] = Configuration()["upstreams"];
    for (auto& upstream : configuration["upstreams"]) upstream["idle_timeout_seconds"] = 0.25;
    StartDaemon(configuration);
  }

  std::vector<std::string> Read(const v1::ListParticipantsRequest& request) {
    const ParticipantClient client(channel());
    std::vector<std::string> sids;
    ParticipantRange range = client.List(request, PatientCaller(absl::Milliseconds(20)));
    for (const auto& participant : range) {
      EXPECT_TRUE(participant.ok()) << participant.status();
      if (!participant.ok()) break;
      sids.push_back(participant->conference_participant_summary().participant_sid());
    }
    return sids;
  }

  void RunSchedule(unsigned seed) {
    const auto schedule = std::make_shared<Schedule>(seed);
    simulator_->InjectFaults(
        [schedule](const Request& request) { return schedule->Next(request); });
    const simulator::List list(Api::kVoiceInsights, 1 + static_cast<int64_t>(seed % 60));
    v1::ListParticipantsRequest request = RequestFor(list);
    request.set_page_size(1 + static_cast<int>(seed % 13));
    std::vector<std::string> sids = Read(request);

    // Each participant that joined may occur at most once.
    const auto newcomers = std::stable_partition(
        sids.begin(), sids.end(),
        [](const std::string& sid) { return !absl::StartsWith(sid, kNewcomer); });
    const std::set<std::string> distinct(newcomers, sids.end());
    EXPECT_EQ(distinct.size(), static_cast<size_t>(sids.end() - newcomers));
    sids.erase(newcomers, sids.end());
    std::vector<std::string> expected;
    for (int64_t i = 0; i < list.size; ++i) expected.push_back(ParticipantSid(list, i));
    EXPECT_EQ(sids, expected);
  }
};

INSTANTIATE_TEST_SUITE_P(Shards, RandomScheduleTest, ::testing::Range(0, kShards));

TEST_P(RandomScheduleTest, EachParticipantArrivesOnceInOrder) {
  int begin = GetParam() * kSeedsPerShard;
  int end = begin + kSeedsPerShard;
  if (const char* const only = std::getenv("ROLLCALL_SEED"); only != nullptr) {
    int seed = 0;
    ASSERT_TRUE(absl::SimpleAtoi(only, &seed)) << "ROLLCALL_SEED must be a number, not " << only;
    if (seed < begin || seed >= end) GTEST_SKIP() << "another shard's seed";
    begin = seed;
    end = seed + 1;
  }
  for (int seed = begin; seed < end && !HasFailure(); ++seed) {
    SCOPED_TRACE(absl::StrCat("ROLLCALL_SEED=", seed));
    RunSchedule(static_cast<unsigned>(seed));
  }
}

}  // namespace
}  // namespace rollcall
