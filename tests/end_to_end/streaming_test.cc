// Records leave as they arrive, and the upstream request follows the caller: waits, stops, ends.
#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "absl/time/clock.h"
#include "tests/end_to_end/end_to_end.h"
#include "tests/end_to_end/resident_memory.h"

namespace rollcall {
namespace {

using simulator::Fault;
using simulator::Request;

class StreamingTest : public EndToEndTest {};

// The position after the `count`th record of a page; records are JSON objects.
size_t EndOfRecord(const simulator::List& list, const std::string& body, int64_t count) {
  const std::string record = ParticipantJson(list, count - 1);
  return body.find(record) + record.size();
}

TEST_F(StreamingTest, DeliversHalfAPageWhileTheRestIsHeldBack) {
  const simulator::List list(simulator::Api::kVoiceInsights, 100);
  size_t half = 0;
  simulator_->InjectFaults([&](const Request&) {
    Fault fault;
    fault.edit_body = [&half, &list](std::string body) {
      half = EndOfRecord(list, body, 50);
      return body;
    };
    return fault;
  });
  ASSERT_TRUE(List(RequestFor(list)).status.ok());
  ASSERT_GT(half, 0u);

  simulator_->InjectFaults([half](const Request&) {
    Fault fault;
    fault.hold_after = half;  // up to the last byte of the 50th record
    return fault;
  });
  grpc::ClientContext context;
  const auto reader = stub().ListParticipants(&context, RequestFor(list));
  v1::ListParticipantsResponse response;
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(reader->Read(&response)) << i;
    EXPECT_EQ(response.participant().conference_participant_summary().participant_sid(),
              ParticipantSid(list, i));
  }
  // All fifty arrived while the provider still holds the page.
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  simulator_->Release();
  int rest = 0;
  while (reader->Read(&response)) ++rest;
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(rest, 50);
}

TEST_F(StreamingTest, StalledCallerStopsTheUpstreamAndUsesNoMemory) {
  // This client reads ahead at most 64 KiB. By default gRPC adapts the window, up to megabytes.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  const auto narrow = v1::ParticipantService::NewStub(
      grpc::CreateCustomChannel(daemon_->address(), grpc::InsecureChannelCredentials(), arguments));
  // Warm up: one-time allocations of a stream do not count.
  ASSERT_TRUE(List(ConferenceRequest(2000)).status.ok());
  const size_t requests_before = simulator_->requests().size();
  const size_t before = daemon_->ResidentBytes();
  const uint64_t sent_before = simulator_->body_bytes_sent();

  constexpr int kSize = kMemoryIsGivenBack ? 100000 : 20000;  // over a kilobyte of JSON each
  grpc::ClientContext context;
  const auto reader = narrow->ListParticipants(&context, ConferenceRequest(kSize));
  v1::ListParticipantsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  const uint64_t sent = WhenSteady([this] { return simulator_->body_bytes_sent(); }) - sent_before;
  const size_t grown = std::max(daemon_->ResidentBytes(), before) - before;
  RecordProperty("upstream_bytes_while_stalled", static_cast<int>(sent));
  RecordProperty("resident_growth_while_stalled", static_cast<int>(grown));
  // The page of 1,000 is over a megabyte, partly in the kernel's socket buffers; no page after the
  // next one was requested.
  EXPECT_LE(simulator_->requests().size() - requests_before,
            2u);  // the page and the prefetched one
  EXPECT_LT(sent, uint64_t{4} << 20);
  if (kMemoryIsGivenBack) {
    EXPECT_LT(grown, size_t{4} << 20);
  }

  int read = 1;
  while (reader->Read(&response)) ++read;
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(read, kSize);
  const size_t after = daemon_->ResidentBytes();
  if (kMemoryIsGivenBack) {
    EXPECT_LT(std::max(after, before) - before, size_t{8} << 20);
  }
}

TEST_F(StreamingTest, CancellingAListClosesTheUpstreamConnection) {
  simulator_->InjectFaults([](const Request&) { return simulator::HoldAfter(20000); });
  grpc::ClientContext context;
  const auto reader = stub().ListParticipants(&context, ConferenceRequest(1000));
  v1::ListParticipantsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  const absl::Time cancelled = absl::Now();
  context.TryCancel();
  ASSERT_TRUE(simulator_->WaitForDisconnects(1));
  const int64_t milliseconds = absl::ToInt64Milliseconds(absl::Now() - cancelled);
  RecordProperty("milliseconds_from_cancel_to_disconnect", static_cast<int>(milliseconds));
  while (reader->Read(&response)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  ExpectStillServes();
}

TEST_F(StreamingTest, CancellingAGetClosesTheUpstreamConnection) {
  simulator_->InjectFaults([](const Request&) {
    Fault fault;
    fault.hold_before_head = true;
    return fault;
  });
  v1::GetParticipantRequest request;
  request.mutable_conference_participant_summary()->set_conference_sid(kSeedConference);
  request.mutable_conference_participant_summary()->set_participant_sid(
      "CPaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  grpc::ClientContext context;
  std::thread canceller([&] {
    EXPECT_TRUE(simulator_->WaitUntilHolding(1));
    context.TryCancel();
  });
  v1::GetParticipantResponse response;
  EXPECT_EQ(stub().GetParticipant(&context, request, &response).error_code(),
            grpc::StatusCode::CANCELLED);
  canceller.join();
  EXPECT_TRUE(simulator_->WaitForDisconnects(1));
  ExpectStillServes();
}

TEST_F(StreamingTest, CallerDeadlineEndsTheUpstreamRequest) {
  simulator_->InjectFaults([](const Request&) {
    Fault fault;
    fault.hold_before_head = true;
    return fault;
  });
  do {  // On a slow machine the deadline may pass before the request is sent.
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(300));
    const Listing listing = List(context, ConferenceRequest(10));
    ASSERT_EQ(listing.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  } while (simulator_->requests().empty());
  EXPECT_TRUE(simulator_->WaitForDisconnects(1));
  ExpectStillServes();
}

TEST_F(StreamingTest, LimitEndsTheUpstreamTransfer) {
  simulator_->InjectFaults([](const Request&) { return simulator::HoldAfter(100000); });
  const simulator::List list(simulator::Api::kVoiceInsights, 1000);
  v1::ListParticipantsRequest request = RequestFor(list);
  request.set_page_size(1000);
  request.set_limit(3);
  // The provider sends more records than the limit, and then stalls: the caller does not wait for
  // it.
  simulator_->AddPage(absl::StrCat("/v1/Conferences/", ListSid(list), "/Participants"), [&list] {
    std::string page = "{\"participants\":[";
    for (int i = 0; i < 1000; ++i) page += (i == 0 ? "" : ",") + ParticipantJson(list, i);
    return page + "],\"meta\":{\"next_page_url\":null}}";
  }());
  const Listing listing = List(request);
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  EXPECT_EQ(listing.participants.size(), 3u);
  EXPECT_TRUE(simulator_->WaitForDisconnects(1));
}

TEST_F(StreamingTest, ManyParallelStreamsAreAllComplete) {
  constexpr int kStreams = 50;
  std::vector<std::thread> callers;
  std::vector<Listing> listings(kStreams);
  callers.reserve(kStreams);
  for (int i = 0; i < kStreams; ++i) {
    callers.emplace_back([&, i] { listings[i] = List(ConferenceRequest(1000 + i)); });
  }
  for (std::thread& caller : callers) caller.join();
  for (int i = 0; i < kStreams; ++i) {
    EXPECT_TRUE(listings[i].status.ok()) << listings[i].status.error_message();
    EXPECT_EQ(listings[i].participants.size(), 1000u + i);
  }
}

}  // namespace
}  // namespace rollcall
