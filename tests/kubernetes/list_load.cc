// list-load: reads many of the simulator's lists concurrently through rollcalld, and checks every
// record: present, once, and in order. Prints a JSON object per second, and a summary at the end.
// Exits with 0 if all lists were complete. `./dev k8s-test` runs it as a job in the cluster.
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "rollcall/call_status.h"
#include "rollcall/channel.h"
#include "rollcall/participant_client.h"
#include "rollcall/v1/participant_service.grpc.pb.h"
#include "tests/published_service_config.h"
#include "tests/simulator/participants.h"

namespace rollcall {
namespace {

using nlohmann::json;

struct Load {
  std::string server;
  int callers = 50;
  int64_t size = 20'000;  // of the first list; each further one has one more, so that all differ
  int page_size = 200;
  bool plain = false;
  int seconds = 0;
};

// Totals of all callers. Thread-safe.
class Totals {
 public:
  void AddRecord() { ++records_; }

  // The replica at `peer` has begun to serve a call of a plain caller.
  void AddPeer(const std::string& peer) {
    const std::lock_guard lock(mutex_);
    ++calls_by_peer_[peer];
  }

  // A list has ended with `status`, `missing` and `repeated` records, after this many calls.
  void AddList(const absl::Status& status, int64_t missing, int64_t repeated, int64_t calls) {
    const std::lock_guard lock(mutex_);
    ++lists_;
    calls_ += calls;
    repeated_ += repeated;
    if (status.ok()) {
      missing_ += missing;
      if (missing == 0 && repeated == 0) ++whole_;
      return;
    }
    const auto info = StatusDetail<google::rpc::ErrorInfo>(status);
    ++failures_[absl::StrCat(absl::StatusCodeToString(status.code()), " ",
                             info ? info->reason() : std::string(status.message()))];
  }

  // Of approximately the last second.
  json Progress() {
    const std::lock_guard lock(mutex_);
    json progress = {
        {"records", records_.load()}, {"lists", lists_}, {"new_calls", calls_by_peer_}};
    calls_by_peer_.clear();
    return progress;
  }

  json Summary() {
    const std::lock_guard lock(mutex_);
    int64_t failed = 0;
    for (const auto& failure : failures_) failed += failure.second;
    return {{"summary", true},       {"lists", lists_},       {"whole", whole_},
            {"failed", failed},      {"failures", failures_}, {"missing", missing_},
            {"repeated", repeated_}, {"calls", calls_},       {"records", records_.load()}};
  }

  bool AllWhole() {
    const std::lock_guard lock(mutex_);
    return lists_ > 0 && whole_ == lists_;
  }

 private:
  std::mutex mutex_;
  std::atomic<int64_t> records_ = 0;
  int64_t lists_ = 0;
  int64_t whole_ = 0;
  int64_t missing_ = 0;   // of lists that ended with OK
  int64_t repeated_ = 0;  // or of another list, or out of order
  int64_t calls_ = 0;
  std::map<std::string, int64_t> failures_;
  std::map<std::string, int64_t> calls_by_peer_;
};

// Checks the records of one list as they arrive.
class ListCheck {
 public:
  explicit ListCheck(const simulator::List& list) : list_(list) {}

  void Add(const v1::Participant& participant) {
    const auto index = simulator::FindParticipant(
        list_, participant.conference_participant_summary().participant_sid());
    if (!index || *index < next_) {
      ++repeated_;
      return;
    }
    next_ = *index + 1;
    ++records_;
  }

  int64_t missing() const { return list_.size - records_; }
  int64_t repeated() const { return repeated_; }

 private:
  const simulator::List list_;
  int64_t next_ = 0;
  int64_t records_ = 0;
  int64_t repeated_ = 0;
};

v1::ListParticipantsRequest RequestFor(const simulator::List& list, int page_size) {
  v1::ListParticipantsRequest request;
  request.set_upstream("twilio");
  request.mutable_conference_participant_summaries()->set_conference_sid(ListSid(list));
  request.set_page_size(page_size);
  return request;
}

// With the client library, which resumes broken calls.
void ReadList(const ParticipantClient& client, const Load& load, const simulator::List& list,
              Totals& totals) {
  ListCheck check(list);
  absl::Status status;
  ParticipantRange range = client.List(RequestFor(list, load.page_size));
  for (const auto& participant : range) {
    if (!participant.ok()) {
      status = participant.status();
      break;
    }
    check.Add(*participant);
    totals.AddRecord();
  }
  totals.AddList(status, check.missing(), check.repeated(), range.totals().calls);
}

// With generated code only: one call per list.
void ReadListPlainly(v1::ParticipantService::Stub& stub, const Load& load,
                     const simulator::List& list, Totals& totals) {
  ListCheck check(list);
  grpc::ClientContext context;
  const auto reader = stub.ListParticipants(&context, RequestFor(list, load.page_size));
  v1::ListParticipantsResponse response;
  bool first = true;
  while (reader->Read(&response)) {
    if (first) totals.AddPeer(context.peer());
    first = false;
    check.Add(response.participant());
    totals.AddRecord();
  }
  totals.AddList(ToAbslStatus(reader->Finish()), check.missing(), check.repeated(), 1);
}

// This many callers share connections, like one program.
constexpr int kCallersPerChannel = 50;

// A channel of a program that uses only the service config.
std::shared_ptr<grpc::Channel> MakePlainChannel(const std::string& server,
                                                const std::string& user_agent) {
  grpc::ChannelArguments arguments;
  arguments.SetUserAgentPrefix(user_agent);
  arguments.SetServiceConfigJSON(kPublishedServiceConfigJson);
  return grpc::CreateCustomChannel(server, grpc::InsecureChannelCredentials(), arguments);
}

// Start the callers one by one. All at once, they would use only the first pod whose connection is
// ready.
constexpr std::chrono::milliseconds kBetweenCallers{50};

int Run(const Load& load) {
  std::vector<ParticipantClient> clients;
  std::vector<std::unique_ptr<v1::ParticipantService::Stub>> stubs;
  for (int i = 0; i < load.callers; i += kCallersPerChannel) {
    // gRPC shares connections between equal channels.
    const std::string name = absl::StrCat("list-load/", i);
    clients.emplace_back(MakeChannel(load.server, {.user_agent = name, .tls = {}, .token = {}}));
    stubs.push_back(v1::ParticipantService::NewStub(MakePlainChannel(load.server, name)));
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(load.seconds);

  Totals totals;
  std::mutex mutex;
  std::condition_variable changed;
  int running = load.callers;
  std::vector<std::thread> callers;
  for (int i = 0; i < load.callers; ++i) {
    callers.emplace_back([&, program = static_cast<size_t>(i / kCallersPerChannel),
                          list = simulator::List(simulator::Api::kVoiceInsights, load.size + i)] {
      do {
        if (load.plain) {
          ReadListPlainly(*stubs[program], load, list, totals);
        } else {
          ReadList(clients[program], load, list, totals);
        }
      } while (std::chrono::steady_clock::now() < end);
      const std::lock_guard lock(mutex);
      --running;
      changed.notify_all();
    });
    std::this_thread::sleep_for(kBetweenCallers);
  }

  {
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, std::chrono::seconds(1), [&] { return running == 0; })) {
      std::cout << totals.Progress().dump() << std::endl;
    }
  }
  for (std::thread& caller : callers) caller.join();
  std::cout << totals.Summary().dump() << std::endl;
  return totals.AllWhole() ? 0 : 1;
}

}  // namespace
}  // namespace rollcall

int main(int argc, char** argv) {
  rollcall::Load load;
  CLI::App app("Read many of the simulator's lists concurrently and check every record",
               "list-load");
  app.add_option("--server", load.server, "Address of rollcalld, as a gRPC target")->required();
  app.add_option("--callers", load.callers, "Number of concurrent lists")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--size", load.size, "Participants per list")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--page-size", load.page_size, "Participants per page")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_flag("--plain", load.plain, "Do not use the client library; each list is one call");
  app.add_option("--seconds", load.seconds,
                 "Start lists for this long; each caller reads at least one")
      ->check(CLI::NonNegativeNumber);
  CLI11_PARSE(app, argc, argv);
  return rollcall::Run(load);
}
