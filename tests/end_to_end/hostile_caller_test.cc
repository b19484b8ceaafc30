// Callers who mean harm: bytes that are no HTTP/2, headers without end, messages that are too
// large, connections and streams by the thousand, nobody who reads. What they do ends with them:
// others are served meanwhile, and afterwards the service is as it was.
#include <gmock/gmock.h>

#include <chrono>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
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

  // All of a harmful caller's connections must be gone, and its memory with them but for `kept`,
  // which allocators keep for the next one.
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

TEST_F(HostileCallerTest, BytesThatAreNoHttp2EndTheirConnection) {
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
    connection.ReadToEnd();  // returns, since the service closes it
  }
  ExpectAsBefore(8 * kMiB);
}

TEST_F(HostileCallerTest, HeadersThatAreTooLargeAreRefused) {
  RawConnection connection(daemon_->address());
  ASSERT_TRUE(connection.BeginHttp2());
  connection.Send(Frame(FrameType::kHeaders, kEndStream, 1, ListCallHeaders()));
  const std::string field = HeaderBlock({{"x-much", std::string(15000, 'a')}});
  connection.Send(Frame(FrameType::kContinuation, kEndHeaders, 1, field));
  EXPECT_TRUE(connection.ReadUntil("received initial metadata size exceeds limit"));
  EXPECT_EQ(simulator_->requests().size(), 1u);  // that of SetUp()
  ExpectStillServes();
}

TEST_F(HostileCallerTest, HeadersWithoutEndTakeNoMemory) {
  RawConnection connection(daemon_->address());
  ASSERT_TRUE(connection.BeginHttp2());
  connection.Send(Frame(FrameType::kHeaders, 0, 1, ListCallHeaders()));
  const std::string field = HeaderBlock({{"x-much", std::string(15000, 'a')}});
  const std::string more = Frame(FrameType::kContinuation, 0, 1, field);
  size_t sent = 0;
  // Up to 64 MiB, or until the service has enough of it.
  while (sent < 64 * kMiB && connection.Send(more)) sent += more.size();
  if (kMemoryIsGivenBack) {
    EXPECT_THAT(Grown(), Lt(8 * kMiB)) << "after " << sent / kMiB << " MiB";
  }
  ExpectStillServes();
}

// gRPC takes the whole of a message before it looks at its size, but no more than it may hold.
TEST_F(HostileCallerTest, ARequestOfAnySizeTakesNoMoreThanAllConnectionsMay) {
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

TEST_F(HostileCallerTest, ACompressedRequestIsNotUnpacked) {
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

// gRPC would log the value of this header, and so let its sender write lines of the log.
TEST_F(HostileCallerTest, WhatLibrariesLogIsNotACallersText) {
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
    if (line["event"] != "library message") continue;
    ++lines;
    EXPECT_EQ(line["library"], "grpc");
  }
  EXPECT_GE(lines, 1);
  EXPECT_THAT(daemon_->Errors(), Not(HasSubstr("forged")));
}

// Each has HTTP/2 begun on it, and then says no more.
TEST_F(HostileCallerTest, ManyConnectionsLeaveRoomForOthers) {
  constexpr size_t kConnections = 2000;
  // The service raises its own limit to as many as this test may have.
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

// Calls that are begun and reset at once, as fast as they can be written.
TEST_F(HostileCallerTest, StreamsThatAreResetAtOnceLeaveOthersServed) {
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

// Pings without need: gRPC ends such a connection. What it has to answer meanwhile it keeps, since
// nobody reads it.
TEST_F(HostileCallerTest, PingsWithoutEndEndTheirConnection) {
  RawConnection connection(daemon_->address());
  ASSERT_TRUE(connection.BeginHttp2());
  const std::string ping = Frame(FrameType::kPing, 0, 0, "12345678");
  while (connection.Send(ping)) {
  }
  ExpectAsBefore(256 * kMiB);
}

}  // namespace
}  // namespace rollcall
