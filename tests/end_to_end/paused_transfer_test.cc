// Lists over HTTP/2 that end while one of their transfers is paused. libcurl buffers a paused body
// while other transfers use its connection, and libcurl 7.88 does not free it by itself if the
// transfer ends while they do.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/end_to_end/recovery.h"
#include "tests/end_to_end/resident_memory.h"

namespace rollcall {
namespace {

using simulator::Fault;
using simulator::Request;

class PausedTransferTest : public RecoveryFixture {
 protected:
  PausedTransferTest() {
    // The provider holds the page of this list, so that its transfer stays on the connection.
    held_.mutable_conference_participant_summaries()->set_conference_sid(
        ListSid(simulator::List(simulator::Api::kVoiceInsights, 7)));
  }

  Route route() const override { return Route::kHttp2; }

  nlohmann::json Configuration() const override {
    nlohmann::json configuration = RecoveryFixture::Configuration();
    configuration["event_loops"] = 1;  // and so one connection
    return configuration;
  }

  // For all requests but those of the held list.
  void InjectFault(const Fault& fault) {
    const std::string held = held_.conference_participant_summaries().conference_sid();
    simulator_->InjectFaults([=](const Request& request) {
      return absl::StrContains(request.target, held) ? simulator::HoldAfter(0) : fault;
    });
  }

  // Each of several callers reads one record of a page of 1.35 MB and then none, until all
  // transfers are paused. Then `end` ends their calls.
  void StallAndEnd(const std::function<void(grpc::ClientContext& context)>& end) {
    constexpr int kCallers = 8;
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // the client reads ahead by 64 KiB only
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto stub = v1::ParticipantService::NewStub(grpc::CreateCustomChannel(
        daemon_->address(), grpc::InsecureChannelCredentials(), arguments));
    std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
    std::vector<std::unique_ptr<grpc::ClientReader<v1::ListParticipantsResponse>>> readers;
    v1::ListParticipantsResponse response;
    for (int i = 0; i < kCallers; ++i) {
      contexts.push_back(std::make_unique<grpc::ClientContext>());
      readers.push_back(stub->ListParticipants(contexts.back().get(), ConferenceRequest(1000)));
    }
    for (const auto& reader : readers) EXPECT_TRUE(reader->Read(&response));
    WhenSteady([this] { return simulator_->body_bytes_sent(); });
    for (const auto& context : contexts) end(*context);
    for (const auto& reader : readers) {
      while (reader->Read(&response)) {
      }
      EXPECT_FALSE(reader->Finish().ok());
    }
  }

  // Fails the test if memory grows with the number of lists that ended so.
  void ExpectNoGrowth(const std::function<void(grpc::ClientContext& context)>& end) {
    grpc::ClientContext context;
    const auto held = stub().ListParticipants(&context, held_);
    ASSERT_TRUE(simulator_->WaitUntilHolding(1));
    const auto resident = [this] { return daemon_->ResidentBytes(); };
    for (int i = 0; i < 3; ++i) StallAndEnd(end);
    const size_t before = WhenSteady(resident);
    for (int i = 0; i < 6; ++i) StallAndEnd(end);
    const size_t after = WhenSteady(resident);
    std::cout << "resident memory " << before / 1024 << " KiB after 24 lists, " << after / 1024
              << " KiB after 72\n";
    if (kMemoryIsGivenBack) {
      EXPECT_LT(std::max(after, before) - before, size_t{10} << 20);
    }
    simulator_->InjectFaults(nullptr);
    simulator_->Release();
    v1::ListParticipantsResponse response;
    int records = 0;
    while (held->Read(&response)) ++records;
    EXPECT_TRUE(held->Finish().ok());
    EXPECT_EQ(records, 7);
  }

 private:
  v1::ListParticipantsRequest held_;
};

TEST_F(PausedTransferTest, MemoryIsFreedIfTheCallerLeaves) {
  InjectFault({});
  ExpectNoGrowth([](grpc::ClientContext& context) { context.TryCancel(); });
}

TEST_F(PausedTransferTest, MemoryIsFreedIfTheProviderResetsTheStream) {
  Fault cut;
  cut.cut_after = 1'300'000;
  InjectFault(cut);
  ExpectNoGrowth([](grpc::ClientContext& context) { context.TryCancel(); });
}

}  // namespace
}  // namespace rollcall
