// Limits on what one caller can take from the others: too many calls, requests that are too large,
// connections that never close, lists that are never read.
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/rpc/error_details.pb.h"
#include "tests/end_to_end/access.h"
#include "tests/end_to_end/resident_memory.h"

namespace rollcall {
namespace {

using simulator::Request;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Key;

class AbuseTest : public CallerAccessTest {
 protected:
  // A small send buffer, so that the simulator notices an unread page early.
  AbuseTest() { simulator_options_.send_buffer_bytes = 64 << 10; }

  // Holds responses in the middle of the body until Release().
  void Hold() const {
    simulator_->InjectFaults([](const Request&) { return simulator::HoldAfter(20000); });
  }

  // A stub with a connection of its own.
  std::unique_ptr<v1::ParticipantService::Stub> ConnectAnew() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return v1::ParticipantService::NewStub(grpc::CreateCustomChannel(
        daemon_->address(), grpc::InsecureChannelCredentials(), arguments));
  }
};

TEST_F(AbuseTest, CallerOverItsCallLimitIsRefusedAndOthersAreServed) {
  nlohmann::json one = Caller("one", kTokenSha256OfAbc);
  one["max_calls"] = 1;
  Write("policy.json",
        nlohmann::json{{"callers", {one, Caller("other", kTokenSha256OfFoo)}}}.dump());
  StartDaemon({{"policy_file", PathOf("policy.json")}});
  Hold();
  std::future<Listing> running = std::async(
      std::launch::async, [this] { return ListOver(stub(), ConferenceRequest(500), "abc"); });
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  simulator_->InjectFaults(nullptr);
  const Listing refused = ListOver(*ConnectAnew(), ConferenceRequest(3), "abc");
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Reason(refused.status), "CALLER_LIMIT");
  EXPECT_GT(DetailOf<google::rpc::RetryInfo>(refused.status).retry_delay().seconds(), 0);
  EXPECT_TRUE(ListOver(stub(), ConferenceRequest(3), "foo").status.ok());
  EXPECT_TRUE(ListOver(stub(), ConferenceRequest(3), "foo").status.ok());
  simulator_->Release();
  EXPECT_EQ(running.get().participants.size(), 500u);
  EXPECT_TRUE(ListOver(stub(), ConferenceRequest(3), "abc").status.ok());
}

TEST_F(AbuseTest, UnnamedCallersAreCountedByAddress) {
  StartDaemon({{"limits", {{"max_calls_per_caller", 1}}}});
  Hold();
  std::future<Listing> running =
      std::async(std::launch::async, [this] { return ListOver(stub(), ConferenceRequest(500)); });
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  EXPECT_EQ(Reason(ListOver(*ConnectAnew(), ConferenceRequest(3)).status), "CALLER_LIMIT");
  simulator_->InjectFaults(nullptr);
  simulator_->Release();
  EXPECT_EQ(running.get().participants.size(), 500u);
}

TEST_F(AbuseTest, OversizedRequestsAndMetadataAreRefused) {
  v1::ListParticipantsRequest large = ConferenceRequest(3);
  large.mutable_conference_participant_summaries()->set_label(std::string(70000, 'a'));
  EXPECT_EQ(ListOver(stub(), large).status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_FALSE(ListOver(stub(), ConferenceRequest(3), std::string(20000, 'a')).status.ok());
  EXPECT_TRUE(simulator_->requests().empty());
  // gRPC may close the connection because of such metadata, but no other connection.
  EXPECT_TRUE(ListOver(*ConnectAnew(), ConferenceRequest(3)).status.ok());
}

TEST_F(AbuseTest, CallsOverTheStreamLimitWaitForTheirConnection) {
  StartDaemon({{"connections", {{"max_streams", 1}}}});
  Hold();
  const auto begin = [this] {
    return std::async(std::launch::async,
                      [this] { return ListOver(stub(), ConferenceRequest(500)); });
  };
  std::future<Listing> first = begin();
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  simulator_->InjectFaults(nullptr);
  // This call would be served at once, but does not start.
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
  const auto waiting = stub().ListParticipants(&context, ConferenceRequest(3));
  v1::ListParticipantsResponse response;
  EXPECT_FALSE(waiting->Read(&response));
  EXPECT_EQ(waiting->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(simulator_->requests().size(), 1u);
  // Another connection has free streams.
  std::future<Listing> second = begin();
  EXPECT_TRUE(ListOver(*ConnectAnew(), ConferenceRequest(3)).status.ok());
  EXPECT_EQ(simulator_->requests().size(), 2u);
  simulator_->Release();
  EXPECT_EQ(first.get().participants.size(), 500u);
  EXPECT_EQ(second.get().participants.size(), 500u);
}

TEST_F(AbuseTest, NewCallsLeaveAnOldConnectionAndRunningCallsStay) {
  StartDaemon({{"connections", {{"max_age_seconds", 1}}}});
  Hold();
  grpc::ClientContext context;
  const auto reader = stub().ListParticipants(&context, ConferenceRequest(500));
  v1::ListParticipantsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  // The service sends GOAWAY.
  channel()->WaitForStateChange(GRPC_CHANNEL_READY, std::chrono::system_clock::time_point::max());
  simulator_->InjectFaults(nullptr);
  // A call that starts at that moment may still use the old connection; it is repeated.
  while (daemon_->IsRunning() && !ListOver(stub(), ConferenceRequest(3)).status.ok()) {
  }
  simulator_->Release();
  int count = 1;
  while (reader->Read(&response)) ++count;
  const grpc::Status status = reader->Finish();
  if (status.ok()) {
    EXPECT_EQ(count, 500);
  } else {
    // The grace period ended before the list did.
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
  }
}

TEST_F(AbuseTest, IdleConnectionIsClosed) {
  StartDaemon({{"connections", {{"max_idle_seconds", 0.1}}}});
  ASSERT_TRUE(ListOver(stub(), ConferenceRequest(3)).status.ok());
  channel()->WaitForStateChange(GRPC_CHANNEL_READY, std::chrono::system_clock::time_point::max());
  EXPECT_TRUE(ListOver(stub(), ConferenceRequest(3)).status.ok());
}

// Connections that send the HTTP/2 preface and nothing else.
class SilentConnections {
 public:
  SilentConnections(const std::string& address, int count) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    constexpr absl::string_view kPreface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
    for (int i = 0; i < count; ++i) {
      const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
      send(fd, kPreface.data(), kPreface.size(), MSG_NOSIGNAL);
      fds_.push_back(fd);
    }
  }
  ~SilentConnections() {
    for (const int fd : fds_) close(fd);
  }
  SilentConnections(const SilentConnections&) = delete;
  SilentConnections& operator=(const SilentConnections&) = delete;

  // Waits until rollcalld has closed at least one of them.
  void WaitForOneToClose() const {
    std::vector<pollfd> polled;
    for (const int fd : fds_) polled.push_back({fd, POLLRDHUP, 0});
    while (poll(polled.data(), polled.size(), -1) < 0) {
    }
  }

 private:
  std::vector<int> fds_;
};

TEST_F(AbuseTest, ConnectionMemoryIsBounded) {
  // A running list continues while other callers connect.
  StartDaemon({{"connections", {{"max_memory_bytes", 4 << 20}}}});
  Hold();
  std::future<Listing> running =
      std::async(std::launch::async, [this] { return ListOver(stub(), ConferenceRequest(500)); });
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  const SilentConnections many(daemon_->address(), 800);
  many.WaitForOneToClose();
  simulator_->InjectFaults(nullptr);
  simulator_->Release();
  const Listing listing = running.get();
  // A sanitizer makes gRPC so slow to close other connections that it may end the list's too. Then
  // the list ends with an error.
  if (listing.status.ok() || kMemoryIsGivenBack) {
    EXPECT_EQ(listing.participants.size(), 500u) << listing.status.error_message();
  }
  ExpectStillServes();
}

TEST_F(AbuseTest, StalledCallerReleasesProviderConnection) {
  StartDaemon({{"limits", {{"caller_stall_seconds", 0.2}}}});
  // One page, larger than all buffers between provider and caller, so that its transfer is still
  // running when the caller stalls.
  simulator_->InjectFaults([](const Request&) {
    const std::string label(64 << 10, 'x');
    std::string page = R"({"participants": [{})";
    for (int i = 1; i < 1000; ++i) absl::StrAppend(&page, R"(, {"label": ")", label, R"("})");
    return simulator::Respond(200, page + R"(], "meta": {"next_page_url": null}})");
  });
  {
    grpc::ClientContext context;
    const auto stalled = stub().ListParticipants(&context, ConferenceRequest(1000));
    v1::ListParticipantsResponse response;
    ASSERT_TRUE(stalled->Read(&response));
    EXPECT_TRUE(simulator_->WaitForDisconnects(1));
    size_t count = 1;
    while (stalled->Read(&response)) ++count;
    const grpc::Status status = stalled->Finish();
    EXPECT_FALSE(status.ok());
    // A caller that reads on within the grace period of five seconds gets the reason and a token.
    if (status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
      EXPECT_EQ(Reason(status), "CALLER_TOO_SLOW");
      EXPECT_THAT(context.GetServerTrailingMetadata(), Contains(Key("rollcall-resume-token")));
    }
    EXPECT_LT(count, 1000u);
  }
  // The log has the reason in any case.
  std::vector<std::string> reasons;
  for (const nlohmann::json& line : EndAndReadLog()) {
    if (line["event"] == "call") reasons.push_back(line.value("reason", ""));
  }
  EXPECT_THAT(reasons, ElementsAre("CALLER_TOO_SLOW"));
}

TEST_F(AbuseTest, CallerThatNeverReadsAgainIsCancelled) {
  StartDaemon({{"limits", {{"caller_stall_seconds", 0.1}, {"max_calls", 1}}}});
  grpc::ClientContext context;
  const auto stalled = stub().ListParticipants(&context, ConferenceRequest(200000));
  v1::ListParticipantsResponse response;
  ASSERT_TRUE(stalled->Read(&response));
  while (daemon_->IsRunning() && !ListOver(*ConnectAnew(), ConferenceRequest(1)).status.ok()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_TRUE(daemon_->IsRunning());
  while (stalled->Read(&response)) {
  }
  EXPECT_FALSE(stalled->Finish().ok());
}

}  // namespace
}  // namespace rollcall
