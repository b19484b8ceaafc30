// Callers who mean harm: bytes that are no HTTP/2, headers without end, messages that are too
// large, connections and streams by the thousand, nobody who reads. What they do ends with them:
// others are served meanwhile, and afterwards the service is as it was.
#include <gmock/gmock.h>

#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tests/end_to_end/end_to_end.h"
#include "tests/end_to_end/raw_connection.h"
#include "tests/end_to_end/resident_memory.h"

namespace rollcall {
namespace {

using ::testing::HasSubstr;
using ::testing::Lt;

constexpr size_t kMiB = size_t{1} << 20;

class HostileCallerTest : public EndToEndTest {
 protected:
  void SetUp() override {
    EndToEndTest::SetUp();
    StartDaemon();
    ExpectStillServes();
    resident_before_ = daemon_->ResidentBytes();
    sockets_before_ = daemon_->OpenSockets();
  }

  // All of a harmful caller's connections must be gone, and its memory with them but for `kept`,
  // which allocators keep for the next one.
  void ExpectAsBefore(size_t kept) {
    ExpectStillServes();
    EXPECT_LE(WhenSteady([this] { return daemon_->OpenSockets(); }), sockets_before_);
    if (!kMemoryIsGivenBack) return;
    EXPECT_THAT(daemon_->ResidentBytes(), Lt(resident_before_ + kept));
  }

  size_t Grown() const {
    const size_t resident = daemon_->ResidentBytes();
    return resident > resident_before_ ? resident - resident_before_ : 0;
  }

  size_t resident_before_ = 0;
  size_t sockets_before_ = 0;
};

TEST_F(HostileCallerTest, BytesThatAreNoHttp2EndTheirConnection) {
  std::minstd_rand random(1);
  for (int i = 0; i < 200; ++i) {
    std::string bytes = i % 2 == 0 ? "GET / HTTP/1.1\r\nHost: test\r\n\r\n" : Http2Preface();
    for (int size = 0; size < 2000; ++size) bytes.push_back(static_cast<char>(random()));
    RawConnection connection(daemon_->address());
    ASSERT_TRUE(connection.is_open());
    connection.Send(bytes);
    connection.EndSending();
    connection.ReadToEnd();  // returns, since the service closes it
  }
  ExpectAsBefore(8 * kMiB);
}

TEST_F(HostileCallerTest, HeadersThatAreTooLargeAreRefused) {
  RawConnection connection(daemon_->address());
  ASSERT_TRUE(connection.Send(Http2Preface()));
  connection.Send(Frame(FrameType::kHeaders, kEndStream, 1, ListCallHeaders()));
  const std::string field = HeaderBlock({{"x-much", std::string(15000, 'a')}});
  connection.Send(Frame(FrameType::kContinuation, kEndHeaders, 1, field));
  connection.EndSending();
  std::cout << absl::CEscape(connection.ReadToEnd()) << "\n";
  ExpectStillServes();
}

TEST_F(HostileCallerTest, HeadersWithoutEndTakeNoMemory) {
  RawConnection connection(daemon_->address());
  ASSERT_TRUE(connection.Send(Http2Preface()));
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

TEST_F(HostileCallerTest, ARequestThatIsTooLargeIsRefusedBeforeItHasCome) {
  RawConnection connection(daemon_->address());
  ASSERT_TRUE(connection.Send(Http2Preface()));
  connection.Send(Frame(FrameType::kHeaders, kEndHeaders, 1, ListCallHeaders()));
  // A message of almost 4 GiB, it says.
  const std::string head = absl::StrCat(absl::string_view("\0", 1), Number(0xffffff00));
  connection.Send(Frame(FrameType::kData, 0, 1, absl::StrCat(head, std::string(1000, 'a'))));
  EXPECT_TRUE(connection.ReadUntil("Received message larger than max"));
  if (kMemoryIsGivenBack) {
    EXPECT_THAT(Grown(), Lt(8 * kMiB));
  }
  ExpectStillServes();
}

// More than two thousand connections, each with HTTP/2 begun on it, say no more.
TEST_F(HostileCallerTest, ManyConnectionsLeaveRoomForOthers) {
  constexpr size_t kConnections = 2000;
  std::vector<RawConnection> connections;
  for (size_t i = 0; i < kConnections; ++i) {
    connections.emplace_back(daemon_->address());
    ASSERT_TRUE(connections.back().is_open()) << i;
    ASSERT_TRUE(connections.back().Send(Http2Preface())) << i;
  }
  // Each is answered, so the service holds all of them.
  for (RawConnection& connection : connections) {
    ASSERT_TRUE(connection.ReadUntil(Frame(FrameType::kSettings, 1, 0, "")));
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
TEST_F(HostileCallerTest, StreamsThatAreResetAtOnceDoNoHarm) {
  RawConnection connection(daemon_->address());
  ASSERT_TRUE(connection.Send(Http2Preface()));
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

// Pings without need: gRPC ends such a connection.
TEST_F(HostileCallerTest, PingsWithoutEndEndTheirConnection) {
  RawConnection connection(daemon_->address());
  ASSERT_TRUE(connection.Send(Http2Preface()));
  const std::string ping = Frame(FrameType::kPing, 0, 0, "12345678");
  while (connection.Send(ping)) {
  }
  EXPECT_THAT(connection.ReadToEnd(), HasSubstr("too_many_pings"));
  ExpectAsBefore(8 * kMiB);
}

}  // namespace
}  // namespace rollcall
