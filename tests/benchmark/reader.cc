// The caller in the end-to-end benchmarks: reads lists from a gRPC server and measures the time. It
// checks every record's position, and compares some records completely with the result of the
// tests' oracle, which is independent of the service's decoder. A wrong record, a wrong length and
// any status but OK end the program with an error, so that only correct lists are measured. Prints
// one line of JSON.
#include <grpcpp/grpcpp.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "rollcall/v1/participant_service.grpc.pb.h"
#include "tests/benchmark/benchmark_list.h"
#include "tests/record/oracle.h"
#include "tests/simulator/sid_of.h"

namespace rollcall {
namespace {

using Clock = std::chrono::steady_clock;
using Stub = v1::ParticipantService::Stub;

struct Options {
  std::string server;
  std::string kind = "conference";
  int64_t size = 0;
  int page_size = 1000;
  int64_t limit = 0;
  std::vector<std::string> fields;
  int streams = 1;
  int64_t lists = 0;
  int64_t warm_up_lists = 0;
  int channels = 1;
  bool round = false;
  bool sids_only = false;
  bool arrivals = false;
};

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "reader: %s\n", what.c_str());
  // Not exit(), which would destroy objects that other streams still use.
  std::_Exit(1);
}

double Seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The value at this quantile.
double Percentile(std::vector<double>& values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<size_t>(part * static_cast<double>(values.size()));
  return values[std::min(rank, values.size() - 1)];
}

// Results of a run's calls.
struct Results {
  int64_t records = 0;
  int64_t lists = 0;
  std::vector<double> first_record_ms;
  std::vector<double> list_ms;
  int64_t weighed_messages = 0;
  int64_t weighed_bytes = 0;
  std::vector<int64_t> arrivals_ns;
};

// Reads a number of lists with a given concurrency; each call starts when the one before it ends.
class Run {
 public:
  Run(const Options& options, const BenchmarkList& list,
      const std::vector<std::unique_ptr<Stub>>& stubs, int64_t lists)
      : options_(options), list_(list), request_(list.Request()), left_(lists) {
    request_.set_page_size(options.page_size);
    request_.set_limit(options.limit);
    const int64_t streams = std::min<int64_t>(options.streams, lists);
    running_ = streams;
    for (int64_t i = 0; i < streams; ++i) {
      streams_.push_back(
          std::make_unique<Stream>(*this, *stubs[static_cast<size_t>(i) % stubs.size()], i));
    }
  }

  Results Read() {
    for (const auto& stream : streams_) stream->Next();
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return running_ == 0; });
    return std::move(results_);
  }

 private:
  // One in this many records is compared completely. The number shares no factor with a page's
  // size, so that all positions in a page are covered.
  static constexpr int64_t kSampled = 997;

  // The size of one in this many messages is sampled, often enough for the mean of a short list.
  static constexpr int64_t kWeighed = 7;

  // One stream: reads one list after another while any are left.
  struct Stream {
    // Each list begins its samples at another position, the first list with its first record.
    Stream(Run& its_run, Stub& its_stub, int64_t number)
        : run(its_run), stub(its_stub), turn(31 * number) {}

    void Next() {
      if (run.TakeList()) {
        new Call(*this);
      } else {
        run.EndStream();
      }
    }

    Run& run;
    Stub& stub;
    int64_t turn;  // a record is compared completely at multiples of kSampled
  };

  // The call for one list. Deletes itself.
  class Call final : public grpc::ClientReadReactor<v1::ListParticipantsResponse> {
   public:
    explicit Call(Stream& stream) : stream_(stream), run_(stream.run), begin_(Clock::now()) {
      stream_.stub.async()->ListParticipants(&context_, &run_.request_, this);
      StartRead(&response_);
      StartCall();
    }

    void OnReadDone(bool ok) override {
      if (!ok) return;
      if (count_ == 0) first_ = Clock::now();
      if (run_.options_.arrivals) {
        arrivals_ns_.push_back(std::chrono::nanoseconds(Clock::now().time_since_epoch()).count());
      }
      Check();
      ++count_;
      StartRead(&response_);
    }

    void OnDone(const grpc::Status& status) override {
      const Clock::time_point end = Clock::now();
      if (!status.ok()) {
        Fail(absl::StrCat("status ", static_cast<int>(status.error_code()), ": ",
                          status.error_message()));
      }
      if (count_ != run_.Expected()) {
        Fail(absl::StrCat("a list of ", count_, " records, not ", run_.Expected()));
      }
      {
        const std::lock_guard lock(run_.mutex_);
        Results& results = run_.results_;
        results.records += count_;
        ++results.lists;
        results.list_ms.push_back(Seconds(end - begin_) * 1e3);
        if (count_ > 0) results.first_record_ms.push_back(Seconds(first_ - begin_) * 1e3);
        results.weighed_messages += weighed_messages_;
        results.weighed_bytes += weighed_bytes_;
        results.arrivals_ns.insert(results.arrivals_ns.end(), arrivals_ns_.begin(),
                                   arrivals_ns_.end());
      }
      Stream& stream = stream_;
      delete this;
      stream.Next();
    }

   private:
    void Check() {
      const int64_t index = run_.options_.round ? count_ % run_.list_.size() : count_;
      const v1::Participant& participant = response_.participant();
      if (!run_.list_.IsRecord(participant, index)) {
        Fail(absl::StrCat("record ", count_, " is ", simulator::SidOf(participant), ", not ",
                          run_.list_.Sid(index)));
      }
      const int64_t turn = stream_.turn++;
      if (turn % kWeighed == 0) {
        ++weighed_messages_;
        weighed_bytes_ += static_cast<int64_t>(response_.ByteSizeLong());
      }
      if (turn % kSampled != 0) return;
      if (run_.options_.sids_only) return;
      const std::string json = run_.list_.Json(index);
      const auto oracle =
          service::DecodeByOracle(json, run_.list_.record_case(), run_.options_.fields);
      if (!oracle) Fail("the oracle cannot decode " + json);
      const auto same = service::SameParticipant(*oracle, participant, json);
      if (!same) {
        Fail(absl::StrCat("record ", count_, " differs from the provider's: ", same.message()));
      }
    }

    Stream& stream_;
    Run& run_;
    grpc::ClientContext context_;
    v1::ListParticipantsResponse response_;
    int64_t count_ = 0;
    const Clock::time_point begin_;
    Clock::time_point first_;
    int64_t weighed_messages_ = 0;
    int64_t weighed_bytes_ = 0;
    std::vector<int64_t> arrivals_ns_;
  };

  int64_t Expected() const {
    if (options_.round) return options_.limit;
    return options_.limit > 0 ? std::min(options_.limit, list_.size()) : list_.size();
  }

  bool TakeList() {
    const std::lock_guard lock(mutex_);
    if (left_ == 0) return false;
    --left_;
    return true;
  }

  void EndStream() {
    const std::lock_guard lock(mutex_);
    if (--running_ == 0) ended_.notify_all();
  }

  const Options& options_;
  const BenchmarkList& list_;
  v1::ListParticipantsRequest request_;
  std::vector<std::unique_ptr<Stream>> streams_;

  std::mutex mutex_;
  std::condition_variable ended_;
  // Guarded by mutex_.
  int64_t left_;
  int64_t running_;
  Results results_;
};

std::vector<std::unique_ptr<Stub>> Connect(const Options& options) {
  std::vector<std::unique_ptr<Stub>> stubs;
  for (int i = 0; i < options.channels; ++i) {
    grpc::ChannelArguments arguments;
    // Otherwise channels to the same server share a connection.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto channel =
        grpc::CreateCustomChannel(options.server, grpc::InsecureChannelCredentials(), arguments);
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(60))) {
      Fail("cannot connect to " + options.server);
    }
    stubs.push_back(v1::ParticipantService::NewStub(channel));
  }
  return stubs;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Read lists from a gRPC server and measure the time", "reader");
  app.add_option("--server", options.server, "HOST:PORT")->required();
  app.add_option("--kind", options.kind, "conference, room or live")->capture_default_str();
  app.add_option("--size", options.size, "Participants per list")->required();
  app.add_option("--page-size", options.page_size)->capture_default_str();
  app.add_option("--limit", options.limit, "Maximum number of participants to read; 0 means all");
  app.add_option("--fields", options.fields, "Fields for the read mask")->delimiter(',');
  app.add_option("--streams", options.streams, "Number of concurrent lists")->capture_default_str();
  app.add_option("--lists", options.lists,
                 "Number of lists to read in total; 0 means one per stream");
  app.add_option("--warm-up-lists", options.warm_up_lists,
                 "Number of lists to read before measuring");
  app.add_option("--channels", options.channels, "Connections")->capture_default_str();
  app.add_flag("--round", options.round, "The server repeats the list up to the limit");
  app.add_flag("--sids-only", options.sids_only, "Check only the sids");
  app.add_flag("--arrivals", options.arrivals,
               "Print when each record arrived, in nanoseconds of CLOCK_MONOTONIC");
  CLI11_PARSE(app, argc, argv);

  google::protobuf::FieldMask mask;
  for (const std::string& field : options.fields) mask.add_paths(field);
  const auto list = BenchmarkList::Make(options.kind, options.size, mask);
  if (!list) Fail("unknown --kind, or unknown field in --fields");
  const auto stubs = Connect(options);

  if (options.warm_up_lists > 0) Run(options, *list, stubs, options.warm_up_lists).Read();
  Run run(options, *list, stubs, options.lists > 0 ? options.lists : options.streams);
  const double cpu = CpuSeconds();
  const Clock::time_point begin = Clock::now();
  Results results = run.Read();
  const double seconds = Seconds(Clock::now() - begin);

  nlohmann::json line = {
      {"records", results.records},
      {"lists", results.lists},
      {"seconds", seconds},
      {"cpu_seconds", CpuSeconds() - cpu},
      {"first_record_ms",
       {{"p50", Percentile(results.first_record_ms, 0.5)},
        {"p99", Percentile(results.first_record_ms, 0.99)}}},
      {"list_ms",
       {{"p50", Percentile(results.list_ms, 0.5)}, {"p99", Percentile(results.list_ms, 0.99)}}},
      {"message_bytes", results.weighed_messages == 0
                            ? 0.0
                            : static_cast<double>(results.weighed_bytes) /
                                  static_cast<double>(results.weighed_messages)},
  };
  if (options.arrivals) line["arrivals_ns"] = results.arrivals_ns;
  std::printf("%s\n", line.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace rollcall

int main(int argc, char** argv) { return rollcall::Main(argc, argv); }
