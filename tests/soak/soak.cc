// Runs rollcalld under mixed load for a given time: callers that read, leave, pause, read only a
// part or have short deadlines, in front of a provider that fails about every tenth request. It
// checks every list, and that rollcalld does not grow: it samples memory, descriptors and threads
// every few seconds, and compares the last quarter of the run with the second. `./dev soak` runs
// it.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "rollcall/channel.h"
#include "rollcall/participant_client.h"
#include "tests/end_to_end/daemon.h"
#include "tests/end_to_end/patient_caller.h"
#include "tests/simulator/sid_of.h"
#include "tests/simulator/simulator.h"

namespace rollcall {
namespace {

using simulator::Api;
using simulator::Fault;

constexpr int kCallers = 50;
// Like real callers, a caller reconnects now and then.
constexpr int kListsPerConnection = 20;
// A shorter run does not judge growth. Samples are at least a second apart.
constexpr size_t kFewestSamples = 8;

// The provider.

Fault RandomFault() {
  thread_local std::mt19937 random{std::random_device{}()};
  Fault fault;
  fault.chunked = random() % 2 == 0;
  const auto byte = random() % 100'000;
  switch (random() % 64) {
    case 0:
    case 1:
      return simulator::Respond(503, "<html><body>busy</body></html>");
    case 2: {
      if (byte % 4 != 0) break;  // each such response slows all callers down for a while
      Fault limited = simulator::Respond(429, R"({"code":20429,"status":429})");
      limited.answer->headers.emplace_back("Retry-After", "0");
      return limited;
    }
    case 3:
      fault.cut_before_head = true;
      break;
    case 4:
    case 5:
    case 6:
      fault.cut_after = byte;
      break;
    case 7:
      // The simulator never releases these: rollcalld has to time out.
      fault.hold_after = byte;
      break;
    case 8:
      fault.piece_bytes = 1 + byte % 100;
      break;
    default:
      break;
  }
  return fault;
}

// Callers.

// Totals over all callers.
struct Totals {
  std::atomic<int64_t> lists = 0;
  std::atomic<int64_t> left = 0;  // of the lists: cancelled by the caller, or out of time
  std::atomic<int64_t> records = 0;
  std::atomic<int64_t> calls = 0;
  std::atomic<int64_t> failures = 0;  // lists that were not as expected
};

class Caller {
 public:
  Caller(std::string server, int number, absl::Time end, Totals& totals)
      : server_(std::move(server)), number_(number), end_(end), totals_(totals), random_(number) {}

  void Run() {
    for (int lists = 0; absl::Now() < end_; ++lists) {
      if (lists % kListsPerConnection == 0) {
        // gRPC shares connections between equal channels; a different argument makes a new
        // connection.
        client_ = ParticipantClient(MakeChannel(
            server_,
            {.user_agent = absl::StrCat("soak/", number_, ".", lists), .tls = {}, .token = {}}));
      }
      ReadOne();
    }
  }

 private:
  enum class Manner { kReadsAll, kPauses, kLeaves, kWantsPart, kIsInAHurry };

  int64_t Below(int64_t bound) { return static_cast<int64_t>(random_() % bound); }

  Manner ChooseManner() {
    const int64_t chance = Below(100);
    if (chance < 10) return Manner::kPauses;
    if (chance < 20) return Manner::kLeaves;
    if (chance < 30) return Manner::kWantsPart;
    if (chance < 40) return Manner::kIsInAHurry;
    return Manner::kReadsAll;
  }

  void ReadOne() {
    const Api apis[] = {Api::kVoiceInsights, Api::kVideoInsights, Api::kSignalWire,
                        Api::kTwilioCore};
    const int64_t sizes[] = {50, 50, 50, 2000, 2000, 20000};
    const simulator::List list(apis[Below(4)], 1 + Below(sizes[Below(6)]));
    const Manner manner = ChooseManner();

    v1::ListParticipantsRequest request;
    const std::string sid = ListSid(list);
    switch (list.api) {
      case Api::kVoiceInsights:
        request.mutable_conference_participant_summaries()->set_conference_sid(sid);
        break;
      case Api::kVideoInsights:
        request.mutable_room_participant_summaries()->set_room_sid(sid);
        break;
      default:
        request.mutable_live_participants()->set_conference_sid(sid);
        break;
    }
    request.set_upstream(list.api == Api::kSignalWire ? "signalwire" : "twilio");
    request.set_page_size(
        static_cast<int>(std::min<int64_t>(1000, 1 + list.size / 20 + Below(100))));
    int64_t wanted = list.size;
    if (manner == Manner::kWantsPart) {
      wanted = 1 + Below(list.size);
      request.set_limit(wanted);
    }

    CallOptions options = PatientCaller(absl::Milliseconds(500));
    if (manner == Manner::kIsInAHurry) options.timeout = absl::Milliseconds(1 + Below(500));
    const int64_t turn = 1 + Below(list.size);  // the record after which a caller pauses or leaves

    int64_t count = 0;
    absl::Status status;
    ParticipantRange range = client_.List(request, options);
    for (const auto& participant : range) {
      if (!participant.ok()) {
        status = participant.status();
        break;
      }
      if (simulator::SidOf(*participant) != ParticipantSid(list, count)) {
        Fail(list, absl::StrCat("record ", count, " is not the expected one"));
        break;
      }
      ++count;
      ++totals_.records;
      if (count != turn) continue;
      if (manner == Manner::kLeaves) break;
      if (manner == Manner::kPauses) absl::SleepFor(absl::Milliseconds(Below(5000)));
    }

    ++totals_.lists;
    totals_.calls += range.totals().calls;
    // The deadline passed, or did not leave time for the next wait.
    const bool too_late = manner == Manner::kIsInAHurry &&
                          (absl::IsDeadlineExceeded(status) || absl::IsUnavailable(status) ||
                           absl::IsResourceExhausted(status));
    if (manner == Manner::kLeaves || too_late) {
      ++totals_.left;
    } else if (!status.ok()) {
      Fail(list, status.ToString());
    } else if (count != wanted) {
      Fail(list, absl::StrCat(count, " records instead of ", wanted));
    }
  }

  void Fail(const simulator::List& list, const std::string& what) {
    ++totals_.failures;
    std::fprintf(stderr, "soak: %s: %s\n", ListPath(list).c_str(), what.c_str());
  }

  const std::string server_;
  const int number_;
  const absl::Time end_;
  Totals& totals_;
  std::mt19937 random_;
  ParticipantClient client_{MakeChannel(server_)};
};

// Resources of the rollcalld process.

struct Sample {
  int64_t resident = 0;  // KiB
  int64_t descriptors = 0;
  int64_t threads = 0;
};

Sample Take(const Daemon& daemon) {
  return {static_cast<int64_t>(daemon.ResidentBytes() >> 10),
          static_cast<int64_t>(daemon.OpenDescriptors()), static_cast<int64_t>(daemon.Threads())};
}

// Whether the median of a figure in the last quarter of the samples is at most that of the second
// quarter plus a tenth and `slack`, its normal fluctuation.
bool IsStable(const char* what, const std::vector<Sample>& samples, int64_t Sample::*figure,
              int64_t slack) {
  const auto median = [&](size_t begin, size_t end) {
    std::vector<int64_t> values;
    for (size_t i = begin; i < end; ++i) values.push_back(samples[i].*figure);
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  };
  const size_t quarter = samples.size() / 4;
  const int64_t before = median(quarter, 2 * quarter);
  const int64_t after = median(samples.size() - quarter, samples.size());
  const bool still = after <= before + before / 10 + slack;
  std::printf("  %-14s %10lld %10lld   %s\n", what, static_cast<long long>(before),
              static_cast<long long>(after), still ? "stable" : "GROWS");
  return still;
}

int Run(int seconds) {
  simulator::Options provider_options;
  provider_options.keep_requests = false;
  provider_options.latency = absl::Milliseconds(10);
  auto provider = simulator::Simulator::Start(provider_options);
  if (!provider.ok()) {
    std::fprintf(stderr, "soak: %s\n", provider.status().ToString().c_str());
    return 1;
  }
  (*provider)->InjectFaults([](const simulator::Request&) { return RandomFault(); });
  nlohmann::json configuration = SimulatorConfiguration((*provider)->base_url());
  // Few attempts in the service, so that the client library has to retry as well.
  configuration["retry"] = {{"max_attempts", 2}, {"initial_backoff_seconds", 0.01}};
  for (auto& upstream : configuration["upstreams"]) upstream["idle_timeout_seconds"] = 1;
  const std::unique_ptr<Daemon> daemon = Daemon::WithConfiguration(configuration);
  if (daemon->address().empty()) {
    std::fprintf(stderr, "soak: %s", daemon->Errors().c_str());
    return 1;
  }

  const absl::Time begin = absl::Now();
  const absl::Time end = begin + absl::Seconds(seconds);
  Totals totals;
  std::vector<std::thread> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&, i] { Caller(daemon->address(), i, end, totals).Run(); });
  }

  std::printf("%8s %10s %12s %14s %12s %8s\n", "seconds", "lists", "participants", "resident KiB",
              "descriptors", "threads");
  const absl::Duration step = std::max(absl::Seconds(1), absl::Seconds(seconds) / 60);
  std::vector<Sample> samples;
  for (absl::Time next = begin + step; next <= end && daemon->IsRunning(); next += step) {
    absl::SleepFor(next - absl::Now());
    samples.push_back(Take(*daemon));
    std::printf(
        "%8.0f %10lld %12lld %14lld %12lld %8lld\n", absl::ToDoubleSeconds(absl::Now() - begin),
        static_cast<long long>(totals.lists.load()), static_cast<long long>(totals.records.load()),
        static_cast<long long>(samples.back().resident),
        static_cast<long long>(samples.back().descriptors),
        static_cast<long long>(samples.back().threads));
    std::fflush(stdout);
  }
  for (std::thread& caller : callers) caller.join();

  std::printf(
      "%lld lists in %lld calls; %lld were left early; %lld were wrong\n",
      static_cast<long long>(totals.lists.load()), static_cast<long long>(totals.calls.load()),
      static_cast<long long>(totals.left.load()), static_cast<long long>(totals.failures.load()));
  bool good = totals.failures == 0 && totals.lists > 0;
  if (samples.size() >= kFewestSamples) {
    std::printf("  %-14s %10s %10s   (medians of the second and the last quarter)\n", "rollcalld",
                "before", "after");
    good = IsStable("resident KiB", samples, &Sample::resident, 4096) && good;
    good = IsStable("descriptors", samples, &Sample::descriptors, 20) && good;
    good = IsStable("threads", samples, &Sample::threads, 4) && good;
  } else {
    std::printf("too short to judge growth: %d samples of at least %d\n",
                static_cast<int>(samples.size()), static_cast<int>(kFewestSamples));
  }
  daemon->Signal(SIGTERM);
  if (const int exit_code = daemon->Wait(); exit_code != 0) {
    std::fprintf(stderr, "soak: rollcalld exited with %d\n%s", exit_code, daemon->Errors().c_str());
    good = false;
  }
  return good ? 0 : 1;
}

}  // namespace
}  // namespace rollcall

int main(int argc, char** argv) {
  int seconds = 0;
  if (argc != 2 || !absl::SimpleAtoi(argv[1], &seconds) || seconds < 1) {
    std::fprintf(stderr, "usage: soak SECONDS\n");
    return 2;
  }
  return rollcall::Run(seconds);
}
