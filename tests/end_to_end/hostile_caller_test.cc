// Hostile callers: bytes that are not HTTP/2, endless headers, messages that are too large,
// thousands of connections and streams, callers that never read. The damage must end with them:
// other callers are served meanwhile, and afterwards the service uses no more than before.
#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/end_to_end/end_to_end.h"
#include "tests/end_to_end/open_files.h"
#include "tests/end_to_end/raw_connection.h"
#include "tests/end_to_end/resident_memory.h"

namespace rollcall {
namespace {

using ::testing::HasSubstr;
using ::testing::Lt;
using ::testing::Not;

constexpr size_t kMiB = size_t{1} << 20;

class HostileCallerTest : public EndToEndTest {
 protected:
  void SetUp() override {
    EndToEndTest::SetUp();
    StartDaemon();
    ExpectStillServes();
    resident_before_ = daemon_->ResidentBytes();
    connections_before_ = daemon_->CallerConnections();
    ASSERT_GE(connections_before_, 1u);  // that of stub()
  }

  // Expects that all hostile connections are gone and their memory is released, except for `kept`,
  // which allocators keep for reuse.
  void ExpectAsBefore(size_t kept) {
    ExpectStillServes();
    while (daemon_->IsRunning() && daemon_->CallerConnections() > connections_before_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_TRUE(daemon_->IsRunning());
    if (!kMemoryIsGivenBack) return;
    EXPECT_THAT(daemon_->ResidentBytes(), Lt(resident_before_ + kept));
  }

  size_t Grown() const {
    const size_t resident = daemon_->ResidentBytes();
    return resident > resident_before_ ? resident - resident_before_ : 0;
  }

  size_t resident_before_ = 0;
  size_t connections_before_ = 0;
};

TEST_F(HostileCallerTest, InvalidHttp2ClosesTheConnection) {
  std::minstd_rand random(1);
  for (int i = 0; i < 200; ++i) {
    RawConnection connection(daemon_->address());
    ASSERT_TRUE(connection.is_open());
    std::string bytes;
    if (i % 2 == 0) {
      ASSERT_TRUE(connection.BeginHttp2());
    } else {
      bytes = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
    }
    for (int size = 0; size < 2000; ++size) bytes.push_back(static_cast<char>(random()));
    connection.Send(bytes);
    connection.EndSending();
    connection.ReadToEnd();  // Returns because the service closes the connection.
  }
  ExpectAsBefore(8 * kMiB);
}

TEST_F(HostileCallerTest, OversizedHeadersAreRefused) {
  RawConnection connection(daemon_->address());
  ASSERT_TRUE(connection.BeginHttp2());
  connection.Send(Frame(FrameType::kHeaders, kEndStream, 1, ListCallHeaders()));
  const std::string field = HeaderBlock({{"x-much", std::string(15000, 'a')}});
  connection.Send(Frame(FrameType::kContinuation, kEndHeaders, 1, field));
  EXPECT_TRUE(connection.ReadUntil("received initial metadata size exceeds limit"));
  EXPECT_EQ(simulator_->requests().size(), 1u);  // that of SetUp()
  ExpectStillServes();
}

TEST_F(HostileCallerTest, EndlessHeadersUseNoMemory) {
  RawConnection connection(daemon_->address());
  ASSERT_TRUE(connection.BeginHttp2());
  connection.Send(Frame(FrameType::kHeaders, 0, 1, ListCallHeaders()));
  const std::string field = HeaderBlock({{"x-much", std::string(15000, 'a')}});
  const std::string more = Frame(FrameType::kContinuation, 0, 1, field);
  size_t sent = 0;
  // Up to 64 MiB, or until the service closes the connection.
  while (sent < 64 * kMiB && connection.Send(more)) sent += more.size();
  if (kMemoryIsGivenBack) {
    EXPECT_THAT(Grown(), Lt(8 * kMiB)) << "after " << sent / kMiB << " MiB";
  }
  ExpectStillServes();
}

// gRPC reads a whole message before it checks the size, but within the memory limit of all
// connections.
TEST_F(HostileCallerTest, HugeRequestStaysWithinConnectionMemory) {
  StartDaemon({{"connections", {{"max_memory_bytes", 32 * kMiB}}}});
  ExpectStillServes();
  resident_before_ = daemon_->ResidentBytes();
  v1::ListParticipantsRequest request = ConferenceRequest(5);
  request.set_resume_token(std::string(200 * kMiB, 'a'));
  EXPECT_EQ(List(request).status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  if (kMemoryIsGivenBack) {
    EXPECT_THAT(Grown(), Lt(100 * kMiB));
  }
  ExpectStillServes();
}

TEST_F(HostileCallerTest, CompressedRequestIsNotDecompressed) {
  v1::ListParticipantsRequest request = ConferenceRequest(5);
  request.set_resume_token(std::string(60 * kMiB, 'a'));
  grpc::ClientContext context;
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  const auto reader = stub().ListParticipants(&context, request);
  v1::ListParticipantsResponse response;
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  if (kMemoryIsGivenBack) {
    EXPECT_THAT(Grown(), Lt(8 * kMiB));
  }
  ExpectStillServes();
}

// gRPC would log this header's value, so that a caller could write lines of the log.
TEST_F(HostileCallerTest, LibraryLogsContainNoCallerText) {
  constexpr int kCalls = 200;
  RawConnection connection(daemon_->address());
  ASSERT_TRUE(connection.BeginHttp2());
  const std::string headers =
      ListCallHeaders() + HeaderBlock({{"grpc-encoding", "x\n{\"event\":\"forged\"}\n"}});
  for (int i = 0; i < kCalls; ++i) {
    connection.Send(Frame(FrameType::kHeaders, kEndHeaders | kEndStream,
                          static_cast<uint32_t>(2 * i + 1), headers));
  }
  connection.EndSending();
  connection.ReadToEnd();
  ExpectStillServes();
  int lines = 0;
  for (const nlohmann::json& line : EndAndReadLog()) {
    EXPECT_NE(line["event"], "forged");
    if (line["event"] != "library_message") continue;
    ++lines;
    EXPECT_EQ(line["library"], "grpc");
  }
  EXPECT_GE(lines, 1);
  EXPECT_THAT(daemon_->Errors(), Not(HasSubstr("forged")));
}

// Each sends the HTTP/2 preface and then nothing.
TEST_F(HostileCallerTest, ManyIdleConnectionsLeaveOthersServed) {
  constexpr size_t kConnections = 2000;
  // The service raises its soft limit to its hard limit, like this test.
  constexpr rlim_t kNeeded = kConnections + 200;
  if (!AllowOpenFiles(kNeeded)) GTEST_SKIP() << "needs a limit of " << kNeeded << " open files";
  std::vector<RawConnection> connections;
  for (size_t i = 0; i < kConnections; ++i) {
    connections.emplace_back(daemon_->address());
    ASSERT_TRUE(connections.back().is_open()) << i;
    ASSERT_TRUE(connections.back().BeginHttp2()) << i;
  }
  ExpectStillServes();
  const size_t grown = Grown();
  std::cout << kConnections << " connections: " << grown / 1024 / kConnections << " KiB each\n";
  if (kMemoryIsGivenBack) {
    EXPECT_THAT(grown, Lt(kConnections * 64 * 1024));
  }
  connections.clear();
  ExpectAsBefore(kConnections * 64 * 1024);
}

// Streams that are started and reset at once, as fast as they can be written.
TEST_F(HostileCallerTest, RapidResetLeavesOthersServed) {
  RawConnection connection(daemon_->address());
  ASSERT_TRUE(connection.BeginHttp2());
  const std::string headers = ListCallHeaders();
  constexpr uint32_t kCancel = 8;
  for (uint32_t stream = 1; stream < 10000; stream += 2) {
    if (!connection.Send(
            absl::StrCat(Frame(FrameType::kHeaders, kEndHeaders, stream, headers),
                         Frame(FrameType::kResetStream, 0, stream, Number(kCancel))))) {
      break;
    }
  }
  ExpectStillServes();
}

// Needless pings: gRPC closes such a connection. Until then it buffers its responses, because the
// caller does not read.
TEST_F(HostileCallerTest, EndlessPingsCloseTheConnection) {
  RawConnection connection(daemon_->address());
  ASSERT_TRUE(connection.BeginHttp2());
  const std::string ping = Frame(FrameType::kPing, 0, 0, "12345678");
  while (connection.Send(ping)) {
  }
  ExpectAsBefore(256 * kMiB);
}

// Each reflection stream takes a thread of gRPC's.
TEST_F(HostileCallerTest, ReflectionStreamsAreBounded) {
  const size_t threads = daemon_->Threads();
  const std::string headers =
      CallHeaders("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
  std::vector<RawConnection> connections;
  for (int i = 0; i < 5; ++i) {
    RawConnection& connection = connections.emplace_back(daemon_->address());
    ASSERT_TRUE(connection.BeginHttp2());
    for (uint32_t stream = 1; stream < 200; stream += 2) {
      connection.Send(Frame(FrameType::kHeaders, kEndHeaders, stream, headers));
    }
    connection.Send(Frame(FrameType::kPing, 0, 0, "reached?"));
  }
  for (RawConnection& connection : connections) EXPECT_TRUE(connection.ReadUntil("reached?"));
  ExpectStillServes();
  EXPECT_THAT(daemon_->Threads(), Lt(threads + 100));
}

// Each connection of a client that checks health has such a stream.
TEST_F(HostileCallerTest, HealthStreamsAreNotLimited) {
  const std::string headers = CallHeaders("/grpc.health.v1.Health/Watch");
  const std::string empty_message(5, '\0');
  std::vector<RawConnection> connections;
  for (int i = 0; i < 100; ++i) {
    RawConnection& connection = connections.emplace_back(daemon_->address());
    ASSERT_TRUE(connection.BeginHttp2());
    connection.Send(absl::StrCat(Frame(FrameType::kHeaders, kEndHeaders, 1, headers),
                                 Frame(FrameType::kData, kEndStream, 1, empty_message)));
    ASSERT_TRUE(connection.ReadUntil("\x08\x01")) << i;
  }
}

// A caller whose flow-control window is 0: gRPC must not send it any message.
class UnreadResponseTest : public HostileCallerTest {
 protected:
  void Connect() {
    connection_.emplace(daemon_->address());
    ASSERT_TRUE(connection_->BeginHttp2());
    constexpr absl::string_view kInitialWindowSize("\0\4", 2);
    connection_->Send(
        Frame(FrameType::kSettings, 0, 0, absl::StrCat(kInitialWindowSize, Number(0))));
  }

  // Calls GetParticipant, and returns the reason in the log, once the call has ended.
  std::string Get(absl::string_view more_headers = "") {
    const std::string request =
        GetRequestFor({simulator::Api::kVoiceInsights, 5}, 1).SerializeAsString();
    const std::string message = absl::StrCat(
        absl::string_view("\0", 1), Number(static_cast<uint32_t>(request.size())), request);
    connection_->Send(absl::StrCat(
        Frame(FrameType::kHeaders, kEndHeaders, stream_,
              absl::StrCat(CallHeaders("/rollcall.v1.ParticipantService/GetParticipant"),
                           more_headers)),
        Frame(FrameType::kData, kEndStream, stream_, message)));
    stream_ += 2;
    ++calls_;
    while (true) {
      std::vector<std::string> reasons;
      for (const absl::string_view line : absl::StrSplit(daemon_->Errors(), '\n')) {
        const auto entry = nlohmann::json::parse(line, nullptr, false);
        if (entry.is_object() && entry["event"] == "call") {
          reasons.push_back(entry.value("reason", ""));
        }
      }
      if (reasons.size() == calls_) return reasons.back();
      if (!daemon_->IsRunning()) return "rollcalld has ended";
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  std::optional<RawConnection> connection_;
  uint32_t stream_ = 1;
  size_t calls_ = 0;
};

TEST_F(UnreadResponseTest, IsCountedUntilItIsSent) {
  constexpr int kMaxCalls = 4;
  constexpr int kHeld = 2 * kMaxCalls + 16;
  StartDaemon({{"limits", {{"max_calls_per_caller", kMaxCalls}}}});
  Connect();
  for (int i = 0; i < kHeld; ++i) ASSERT_EQ(Get(), "") << i;
  EXPECT_EQ(Get(), "CALLER_LIMIT");
  connection_.reset();
  while (daemon_->IsRunning() && !List(ConferenceRequest(1)).status.ok()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(daemon_->IsRunning());
}

// Each response holds its record until gRPC has sent it, and the next caller's responses reuse its
// memory.
TEST_F(UnreadResponseTest, HoldsItsRecord) {
  if (!kMemoryIsGivenBack) GTEST_SKIP() << "a sanitizer keeps memory that is freed";
  constexpr int kMaxCalls = 4;
  constexpr int kHeld = 2 * kMaxCalls + 16;
  constexpr size_t kRecord = kMiB;
  StartDaemon({{"limits", {{"max_calls_per_caller", kMaxCalls}, {"max_record_bytes", kRecord}}}});
  ExpectStillServes();
  resident_before_ = daemon_->ResidentBytes();
  // One unrecognized value of a megabyte.
  std::string record = R"({"participant_sid":null,"zz":[1)";
  while (record.size() < kRecord - 10) record += ",1";
  simulator_->InjectFaults(
      [record](const auto&) { return simulator::Respond(200, absl::StrCat(record, "]}")); });
  calls_ = 1;  // that of ExpectStillServes()
  size_t most = 0;
  for (int round = 0; round < 3; ++round) {
    Connect();
    stream_ = 1;
    for (int i = 0; i < kHeld; ++i) ASSERT_EQ(Get(), "") << i;
    most = std::max(most, Grown());
    std::cout << "unread responses: " << Grown() / kHeld << " bytes each\n";
    connection_.reset();
    simulator_->InjectFaults(nullptr);
    while (daemon_->IsRunning() && !List(ConferenceRequest(1)).status.ok()) ++calls_;
    ++calls_;
    simulator_->InjectFaults(
        [record](const auto&) { return simulator::Respond(200, absl::StrCat(record, "]}")); });
  }
  EXPECT_GE(most, kHeld * kRecord * 9 / 10);
  EXPECT_LE(most, kHeld * kRecord * 3 + 16 * kRecord);
}

// gRPC's C++ types overflow for deadlines after the year 2262.
TEST_F(UnreadResponseTest, FarDeadlineHasNotPassed) {
  StartDaemon();
  Connect();
  for (const char* timeout : {"1000000H", "3000000H", "99999999H"}) {
    EXPECT_EQ(Get(HeaderBlock({{"grpc-timeout", timeout}})), "") << timeout;
  }
}

TEST_F(UnreadResponseTest, IsGivenUpAfterSomeTime) {
  StartDaemon({{"limits", {{"caller_stall_seconds", 0.1}}}});
  Connect();
  ASSERT_EQ(Get(), "");
  const std::string reset =
      absl::StrCat(Number(4).substr(1), absl::string_view("\3\0", 2), Number(1));
  EXPECT_TRUE(connection_->ReadUntil(reset));
}

}  // namespace
}  // namespace rollcall
