// Two replicas are killed and drained in turn while the client library reads lists: every list must
// arrive complete and in order.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "rollcall/channel.h"
#include "rollcall/participant_client.h"
#include "tests/end_to_end/end_to_end.h"
#include "tests/end_to_end/patient_caller.h"
#include "tests/end_to_end/tally.h"

namespace rollcall {
namespace {

using simulator::Api;

// Reserves a port of this machine: bound, but not listening, so that no other process gets it while
// rollcalld restarts.
class ReservedPort {
 public:
  ReservedPort() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    // The server that listens later sets this option too; without it here, its bind() would fail.
    const int on = 1;
    setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
        getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
      port_ = ntohs(address.sin_port);
    }
  }
  ~ReservedPort() { close(socket_); }
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  const int socket_;
  int port_ = 0;
};

// A rollcalld that restarts at the same address.
class Replica {
 public:
  explicit Replica(nlohmann::json configuration) : configuration_(std::move(configuration)) {
    configuration_["listen"] = port_.address();
    Start();
  }

  std::string address() const { return port_.address(); }

  // Stops and restarts it; returns the exit code. Signal 9 lets it send nothing more.
  int Restart(int signal) {
    daemon_->Signal(signal);
    const int exit_code = daemon_->Wait();
    Start();
    return exit_code;
  }

 private:
  void Start() {
    daemon_ = Daemon::WithConfiguration(configuration_);
    EXPECT_EQ(daemon_->address(), port_.address()) << daemon_->Errors();
  }

  const ReservedPort port_;
  nlohmann::json configuration_;
  std::unique_ptr<Daemon> daemon_;
};

TEST(FailoverTest, ListsAreCompleteWhileReplicasAreKilledAndDrained) {
  constexpr int kLists = 100;
  constexpr int64_t kSize = 300;  // of the first list; each further list has one more
  constexpr int kRounds = 4;

  simulator::Options provider_options;
  provider_options.keep_requests = false;
  // Slow enough that a list takes more than a second.
  provider_options.bytes_per_second = 300'000;
  auto provider = simulator::Simulator::Start(provider_options);
  ASSERT_TRUE(provider.ok()) << provider.status();
  nlohmann::json configuration = SimulatorConfiguration((*provider)->base_url());
  configuration["drain_timeout_seconds"] = 0.1;
  Replica one(configuration);
  Replica two(configuration);

  const ParticipantClient client(
      MakeChannel(absl::StrCat("ipv4:", one.address(), ",", two.address())));

  struct Outcome {
    absl::Status status;
    int64_t records = 0;
    bool in_order = true;
    int64_t calls = 0;
  };
  std::vector<Outcome> outcomes(kLists);
  std::vector<std::thread> callers;
  Tally records;
  int64_t records_in_all = 0;
  for (int i = 0; i < kLists; ++i) {
    const simulator::List list(Api::kVoiceInsights, kSize + i);
    records_in_all += list.size;
    callers.emplace_back([&, list, &outcome = outcomes[i]] {
      v1::ListParticipantsRequest request = RequestFor(list);
      request.set_page_size(50);
      ParticipantRange range = client.List(request, PatientCaller(absl::Milliseconds(200)));
      for (const auto& participant : range) {
        if (!participant.ok()) {
          outcome.status = participant.status();
          continue;
        }
        outcome.in_order =
            outcome.in_order && participant->conference_participant_summary().participant_sid() ==
                                    ParticipantSid(list, outcome.records);
        ++outcome.records;
        records.Add();
      }
      outcome.calls = range.totals().calls;
      // Count missing records too, so that the test does not wait for them.
      records.Add(list.size - outcome.records);
    });
  }

  // Waits until a further share of all records has arrived.
  const int64_t part = records_in_all / (2 * kRounds + 1);
  for (int round = 0; round < kRounds; ++round) {
    // Each stop moves the lists to the other replica, so kill and drain alternate; otherwise an
    // unused replica would be killed.
    records.WaitFor((2 * round + 1) * part);
    EXPECT_EQ(one.Restart(SIGKILL), 128 + SIGKILL);
    records.WaitFor((2 * round + 2) * part);
    EXPECT_EQ(two.Restart(SIGTERM), 0);
  }
  for (std::thread& caller : callers) caller.join();

  int64_t calls = 0;
  for (int i = 0; i < kLists; ++i) {
    EXPECT_TRUE(outcomes[i].status.ok()) << i << ": " << outcomes[i].status;
    EXPECT_EQ(outcomes[i].records, kSize + i);
    EXPECT_TRUE(outcomes[i].in_order) << i;
    calls += outcomes[i].calls;
  }
  // The stops interrupted many calls.
  EXPECT_GE(calls, kLists * 2);
  RecordProperty("calls", static_cast<int>(calls));
}

}  // namespace
}  // namespace rollcall
