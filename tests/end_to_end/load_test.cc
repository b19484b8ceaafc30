// Many streams, and long ones: rollcalld's memory depends only on the number of streams.
#include <gmock/gmock.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/end_to_end/end_to_end.h"
#include "tests/end_to_end/open_files.h"
#include "tests/end_to_end/resident_memory.h"
#include "tests/end_to_end/tally.h"

namespace rollcall {
namespace {

using simulator::Api;
using ::testing::Each;
using ::testing::Le;

class LoadTest : public EndToEndTest {
 protected:
  LoadTest() {
    simulator_options_.keep_requests = false;
    // The kernel buffers each page that the simulator sends. Thousands of unread pages must not
    // fill the machine's memory with socket buffers.
    simulator_options_.send_buffer_bytes = 32 << 10;
  }
};

// A caller that reads one record and then stalls until GoOn(). Runs on gRPC's threads; must outlive
// its call.
class StalledCaller final : public grpc::ClientReadReactor<v1::ListParticipantsResponse> {
 public:
  // `expected` are the sids of the list, in order. All arguments except `request` must outlive the
  // caller.
  StalledCaller(v1::ParticipantService::Stub& stub, v1::ListParticipantsRequest request,
                const std::vector<std::string>& expected, Tally& stalled, Tally& done)
      : request_(std::move(request)), expected_(expected), stalled_(stalled), done_(done) {
    stub.async()->ListParticipants(&context_, &request_, this);
    AddHold();  // for GoOn(), which runs outside callbacks
    StartRead(&response_);
    StartCall();
  }

  void GoOn() {
    StartRead(&response_);
    RemoveHold();
  }

  // Valid only after the call.
  const grpc::Status& status() const { return status_; }
  size_t count() const { return count_; }
  bool in_order() const { return in_order_; }

 private:
  void OnReadDone(bool ok) override {
    // gRPC calls this from several threads, though never concurrently; the lock shows that to
    // ThreadSanitizer.
    const std::lock_guard lock(mutex_);
    if (ok) {
      in_order_ = in_order_ && count_ < expected_.size() &&
                  response_.participant().conference_participant_summary().participant_sid() ==
                      expected_[count_];
      ++count_;
      if (count_ > 1) return StartRead(&response_);
    }
    if (count_ <= 1)
      stalled_.Add();  // also if the call has failed, so that the test does not wait for it
  }

  void OnDone(const grpc::Status& status) override {
    const std::lock_guard lock(mutex_);
    status_ = status;
    done_.Add();
  }

  const v1::ListParticipantsRequest request_;
  const std::vector<std::string>& expected_;
  Tally& stalled_;
  Tally& done_;
  grpc::ClientContext context_;
  std::mutex mutex_;
  v1::ListParticipantsResponse response_;
  grpc::Status status_;
  size_t count_ = 0;
  bool in_order_ = true;
};

TEST_F(LoadTest, AThousandStalledStreamsUseLittleMemoryAndComplete) {
  constexpr int kStreams = kMemoryIsGivenBack ? 1000 : 100;
  constexpr int kChannels = 10;
  constexpr int64_t kPageSize = 1000;
  constexpr int64_t kSize = 1100;  // the second page is short, to save time
  constexpr size_t kMostPerStream = size_t{320} << 10;

  // The simulator uses a socket and an eventfd per connection. A stream has two connections, for
  // its page and for the next one.
  constexpr rlim_t kNeeded = 4 * kStreams + 200;
  if (!AllowOpenFiles(kNeeded)) GTEST_SKIP() << "needs a limit of " << kNeeded << " open files";

  // Otherwise only a hundred streams would start per second: that is the account's limit of
  // requests in flight, and a stalled response counts for a second.
  nlohmann::json configuration = Configuration();
  for (auto& upstream : configuration["upstreams"]) {
    upstream["max_requests_in_flight"] = 2 * kStreams;
  }
  StartDaemon(configuration);

  // All callers read the same list of two pages, which the simulator keeps in memory once.
  const simulator::List list(Api::kVoiceInsights, kSize);
  const std::string conference = ListSid(list);
  const std::string path = absl::StrCat("/v1/Conferences/", conference, "/Participants");
  const auto page = [&](int64_t begin, int64_t end, const std::string& link) {
    std::string body = absl::StrCat("{\"meta\":{\"next_page_url\":", link, "},\"participants\":[");
    for (int64_t i = begin; i < end; ++i) {
      if (i > begin) body += ',';
      AppendParticipantJson(list, i, &body);
    }
    return body + "]}";
  };
  const std::string next = absl::StrCat(path, "?Page=1");
  simulator_->AddPage(path,
                      page(0, kPageSize, absl::StrCat("\"", simulator_->base_url(), next, "\"")));
  simulator_->AddPage(next, page(kPageSize, kSize, "null"));
  std::vector<std::string> expected;
  for (int64_t i = 0; i < list.size; ++i) expected.push_back(ParticipantSid(list, i));

  // These clients read ahead at most 64 KiB per stream. By default gRPC adapts the window, up to
  // megabytes.
  std::vector<std::unique_ptr<v1::ParticipantService::Stub>> stubs;
  for (int i = 0; i < kChannels; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // separate connections
    stubs.push_back(v1::ParticipantService::NewStub(grpc::CreateCustomChannel(
        daemon_->address(), grpc::InsecureChannelCredentials(), arguments)));
  }

  ASSERT_TRUE(List(ConferenceRequest(1)).status.ok());
  const size_t idle = WhenSteady([this] { return daemon_->ResidentBytes(); });
  Tally stalled;
  Tally done;
  std::vector<std::unique_ptr<StalledCaller>> callers;
  for (int i = 0; i < kStreams; ++i) {
    callers.push_back(std::make_unique<StalledCaller>(
        *stubs[i % kChannels], ConferenceRequest(conference), expected, stalled, done));
  }
  stalled.WaitFor(kStreams);
  // Each stream prefetches its second page.
  EXPECT_TRUE(simulator_->WaitForRequests(1 + 2 * kStreams, absl::Minutes(5)));
  WhenSteady([this] { return simulator_->body_bytes_sent(); });
  const size_t full = WhenSteady([this] { return daemon_->ResidentBytes(); });
  const size_t per_stream = (std::max(full, idle) - idle) / kStreams;
  const size_t sockets = daemon_->OpenSockets();
  std::cout << kStreams << " stalled streams: " << (per_stream >> 10) << " KiB each over the "
            << (idle >> 20) << " MiB of an idle rollcalld, " << sockets << " sockets\n";
  RecordProperty("resident_bytes_idle", static_cast<int>(idle));
  RecordProperty("resident_bytes_per_stalled_stream", static_cast<int>(per_stream));
  // Each stream is in the middle of a page.
  EXPECT_GE(sockets, static_cast<size_t>(kStreams));
  if (kMemoryIsGivenBack) {
    EXPECT_LE(per_stream, kMostPerStream);
  }

  for (const auto& caller : callers) caller->GoOn();
  done.WaitFor(kStreams);
  int complete = 0;
  for (const auto& caller : callers) {
    if (caller->status().ok() && caller->in_order() && caller->count() == expected.size()) {
      ++complete;
    } else {
      ADD_FAILURE() << caller->count() << " records, in order: " << caller->in_order() << ", "
                    << caller->status().error_message();
    }
  }
  EXPECT_EQ(complete, kStreams);
}

TEST_F(LoadTest, AListOfAMillionUsesConstantMemory) {
  constexpr int64_t kSize = kMemoryIsGivenBack ? 1000000 : 20000;
  constexpr int64_t kSample = kSize / 10;
  const simulator::List list(Api::kVoiceInsights, kSize);
  grpc::ClientContext context;
  const auto reader = stub().ListParticipants(&context, RequestFor(list));
  v1::ListParticipantsResponse response;
  std::vector<size_t> samples;  // MiB
  int64_t count = 0;
  while (reader->Read(&response)) {
    ASSERT_EQ(response.participant().conference_participant_summary().participant_sid(),
              ParticipantSid(list, count));
    if (++count % kSample == 0) samples.push_back(daemon_->ResidentBytes() >> 20);
  }
  const grpc::Status status = reader->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(count, kSize);
  ASSERT_EQ(samples.size(), 10u);
  std::cout << "resident MiB at each " << kSample
            << " records: " << ::testing::PrintToString(samples) << '\n';
  if (kMemoryIsGivenBack) {
    EXPECT_THAT(samples, Each(Le(samples.front() + 4)));
  }
}

}  // namespace
}  // namespace rollcall
