// How much of a provider's latency the prefetch hides: reads a list of N pages through rollcalld,
// with and without prefetch. The provider takes L until a response begins, and then D to send the
// page. Requesting the next page at the end of a page takes N (L + D). Requesting it at the
// beginning takes N L + D if D is at most L; nothing can be faster, because only a response has the
// next link. The target is 1.1 times that.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "rollcall/v1/participant_service.grpc.pb.h"
#include "tests/end_to_end/daemon.h"
#include "tests/simulator/simulator.h"

namespace rollcall {
namespace {

constexpr int kPageSize = 1000;
constexpr absl::Duration kLatency = absl::Milliseconds(200);
constexpr absl::Duration kDownload = absl::Milliseconds(200);
constexpr double kTarget = 1.1;

// rollcalld and a caller of it.
class Service {
 public:
  Service(const simulator::Simulator& provider, bool prefetch) {
    nlohmann::json configuration = SimulatorConfiguration(provider.base_url());
    configuration["prefetch"] = prefetch;
    daemon_ = Daemon::WithConfiguration(configuration);
    stub_ = v1::ParticipantService::NewStub(
        grpc::CreateChannel(daemon_->address(), grpc::InsecureChannelCredentials()));
  }

  // Reads the first `limit` participants of the list, or all if it is 0, and returns the time. An
  // error if the records are wrong.
  absl::StatusOr<absl::Duration> Read(const simulator::List& list, int64_t limit = 0) {
    v1::ListParticipantsRequest request;
    request.mutable_conference_participant_summaries()->set_conference_sid(ListSid(list));
    request.set_page_size(kPageSize);
    request.set_limit(limit);
    const absl::Time begin = absl::Now();
    grpc::ClientContext context;
    const auto reader = stub_->ListParticipants(&context, request);
    v1::ListParticipantsResponse response;
    int64_t count = 0;
    while (reader->Read(&response)) {
      const auto& summary = response.participant().conference_participant_summary();
      if (summary.participant_sid() != ParticipantSid(list, count)) {
        context.TryCancel();
        return absl::InternalError(absl::StrCat("record ", count, " is ", summary.participant_sid(),
                                                ", not ", ParticipantSid(list, count)));
      }
      ++count;
    }
    const grpc::Status status = reader->Finish();
    if (!status.ok()) {
      return absl::InternalError(absl::StrCat("status ", static_cast<int>(status.error_code()),
                                              ": ", status.error_message()));
    }
    const int64_t expected = limit == 0 ? list.size : limit;
    if (count != expected) {
      return absl::InternalError(absl::StrCat("a list of ", count, " records, not ", expected));
    }
    return absl::Now() - begin;
  }

 private:
  std::unique_ptr<Daemon> daemon_;
  std::unique_ptr<v1::ParticipantService::Stub> stub_;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int Run(const char* results_file, int pages, int repetitions) {
  const simulator::List list(simulator::Api::kVoiceInsights, int64_t{pages} * kPageSize);
  int64_t bytes = 0;
  for (int64_t i = 0; i < list.size; ++i) {
    bytes += static_cast<int64_t>(ParticipantJson(list, i).size());
  }
  simulator::Options options;
  options.latency = kLatency;
  options.bytes_per_second =
      static_cast<int64_t>(static_cast<double>(bytes) / pages / absl::ToDoubleSeconds(kDownload));
  auto provider = simulator::Simulator::Start(options);
  if (!provider.ok()) {
    std::fprintf(stderr, "prefetch_benchmark: %s\n", provider.status().ToString().c_str());
    return 2;
  }

  const double serial = absl::ToDoubleSeconds(pages * (kLatency + kDownload));
  const double hidden = absl::ToDoubleSeconds(pages * kLatency + kDownload);
  std::vector<double> page;
  std::vector<double> without;
  std::vector<double> with;
  Service sequential(**provider, false);
  Service prefetching(**provider, true);
  for (int i = 0; i < repetitions; ++i) {
    for (const auto& [service, limit, seconds] :
         {std::tuple(&sequential, int64_t{kPageSize}, &page),
          std::tuple(&sequential, int64_t{0}, &without),
          std::tuple(&prefetching, int64_t{0}, &with)}) {
      const absl::StatusOr<absl::Duration> took = service->Read(list, limit);
      if (!took.ok()) {
        std::fprintf(stderr, "prefetch_benchmark: %s\n",
                     std::string(took.status().message()).c_str());
        return 2;
      }
      seconds->push_back(absl::ToDoubleSeconds(*took));
    }
  }

  const double ratio = Median(with) / hidden;
  std::printf(
      "%d pages of %d participants, each %.0f ms until it begins (L) and %.0f ms on its way (D):\n",
      pages, kPageSize, absl::ToDoubleMilliseconds(kLatency),
      absl::ToDoubleMilliseconds(kDownload));
  std::printf("  %-18s %8s %10s\n", "", "seconds", "of ideal");
  const auto row = [&](const char* what, double seconds) {
    std::printf("  %-18s %8.2f %10.2f\n", what, seconds, seconds / hidden);
  };
  row("ideal: N L + D", hidden);
  row("prefetch", Median(with));
  row("no prefetch", Median(without));
  row("serial: N (L + D)", serial);
  std::printf("  %-18s %8.2f\n", "one page", Median(page));
  std::printf("  median of %d; target with prefetch: %.2f of ideal, %s\n", repetitions, kTarget,
              ratio <= kTarget ? "met" : "MISSED");

  std::ofstream(results_file) << nlohmann::json{
      {"pages", pages},
      {"participants", list.size},
      {"latency_seconds", absl::ToDoubleSeconds(kLatency)},
      {"download_seconds", absl::ToDoubleSeconds(kDownload)},
      {"ideal_seconds", hidden},
      {"serial_seconds", serial},
      {"one_page_seconds", page},
      {"prefetch_seconds", with},
      {"no_prefetch_seconds", without},
      {"prefetch_median_of_ideal", ratio},
      {"target_of_ideal", kTarget},
  };
  return ratio <= kTarget ? 0 : 1;
}

}  // namespace
}  // namespace rollcall

int main(int argc, char** argv) {
  int pages = 0;
  int repetitions = 0;
  if (argc != 4 || !absl::SimpleAtoi(argv[2], &pages) || pages < 1 ||
      !absl::SimpleAtoi(argv[3], &repetitions) || repetitions < 1) {
    std::fprintf(stderr, "usage: prefetch_benchmark RESULTS_FILE PAGES REPETITIONS\n");
    return 2;
  }
  return rollcall::Run(argv[1], pages, repetitions);
}
