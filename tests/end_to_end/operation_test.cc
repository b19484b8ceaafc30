// The program as an operator uses it: arguments, health, reflection, signals.
#include <gmock/gmock.h>
#include <httplib.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/end_to_end/end_to_end.h"
#include "tests/end_to_end/raw_connection.h"

namespace rollcall {
namespace {

using simulator::Fault;
using simulator::Request;
using ::testing::HasSubstr;

class OperationTest : public EndToEndTest {
 protected:
  // The bytes of a grpc.health.v1 response: field 1, an enum whose value 1 is SERVING.
  std::string Health(const std::string& service) {
    // Field 1 of a HealthCheckRequest is the service's name.
    std::string request;
    if (!service.empty()) {
      request = std::string("\x0A") + static_cast<char>(service.size()) + service;
    }
    std::string answer;
    const grpc::Status status =
        CallWithBytes(channel(), "/grpc.health.v1.Health/Check", request, answer);
    return status.ok() ? answer : status.error_message();
  }
};

constexpr char kServing[] = "\x08\x01";

TEST_F(OperationTest, HealthCheckReportsServing) {
  EXPECT_EQ(Health(""), kServing);
  EXPECT_EQ(Health("rollcall.v1.ParticipantService"), kServing);
  EXPECT_NE(Health("no.such.Service"), kServing);
}

TEST_F(OperationTest, SigtermStopsAnIdleServiceCleanly) {
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
  const std::vector<std::string> log = absl::StrSplit(daemon_->Errors(), '\n', absl::SkipEmpty());
  ASSERT_EQ(log.size(), 2u) << daemon_->Errors();
  EXPECT_THAT(log[0], HasSubstr(R"("event":"serving","version":")"));
  EXPECT_THAT(log[1], HasSubstr(R"("event":"draining")"));
}

TEST_F(OperationTest, StopsCleanlyAfterItsTerminalCloses) {
  daemon_->Signal(SIGHUP);
  EXPECT_EQ(daemon_->Wait(), 0);
}

// gRPC 1.51 stops accepting connections for good when it has no descriptor for one.
TEST_F(OperationTest, IsNotReadyOnceGrpcHasStoppedAccepting) {
  StartDaemon({{"metrics_listen", "127.0.0.1:0"}});
  httplib::Client client(std::string(absl::StripSuffix(daemon_->ReadMetricsUrl(), "/metrics")));
  const auto is_ready = [&client] {
    const auto response = client.Get("/readyz");
    return response && response->status == 200;
  };
  EXPECT_TRUE(is_ready());
  daemon_->LimitOpenFiles(daemon_->OpenDescriptors() + 2);
  std::vector<RawConnection> connections;
  while (daemon_->IsRunning() && !absl::StrContains(daemon_->Errors(), "tcp_server_posix")) {
    connections.emplace_back(daemon_->address());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  connections.clear();
  daemon_->LimitOpenFiles(1000);
  while (is_ready()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const auto response = client.Get("/readyz");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "no connections are accepted\n");
}

TEST_F(OperationTest, ServesHttpProbes) {
  StartDaemon({{"metrics_listen", "127.0.0.1:0"}, {"metrics_token", "secret"}});
  httplib::Client client(std::string(absl::StripSuffix(daemon_->ReadMetricsUrl(), "/metrics")));
  EXPECT_EQ(client.Get("/livez")->status, 200);
  EXPECT_EQ(client.Get("/readyz")->status, 200);
  simulator_->InjectFaults([](const Request&) { return simulator::HoldAfter(20000); });
  grpc::ClientContext context;
  const auto reader = stub().ListParticipants(&context, ConferenceRequest(500));
  v1::ListParticipantsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  daemon_->Signal(SIGTERM);
  while (client.Get("/readyz")->status == 200) std::this_thread::yield();
  EXPECT_EQ(client.Get("/readyz")->body, "draining\n");
  EXPECT_EQ(client.Get("/livez")->status, 200);
  simulator_->Release();
  while (reader->Read(&response)) {
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(daemon_->Wait(), 0);
}

TEST_F(OperationTest, HealthAndReflectionStreamsDoNotDelayShutdown) {
  StartDaemon({{"drain_timeout_seconds", 3600}});
  RawConnection connection(daemon_->address());
  ASSERT_TRUE(connection.BeginHttp2());
  const std::string watch = CallHeaders("/grpc.health.v1.Health/Watch");
  const std::string reflect =
      CallHeaders("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
  const std::string empty_message(5, '\0');
  connection.Send(absl::StrCat(Frame(FrameType::kHeaders, kEndHeaders, 1, reflect),
                               Frame(FrameType::kHeaders, kEndHeaders, 3, watch),
                               Frame(FrameType::kData, kEndStream, 3, empty_message)));
  ASSERT_TRUE(connection.ReadUntil(kServing));
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
}

// The kernel delivers a signal to the first process of a container only if it has a handler.
TEST_F(OperationTest, SecondSignalStopsAtOnce) {
  for (const Daemon::Role role : {Daemon::Role::kProcess, Daemon::Role::kFirstProcess}) {
    simulator_->InjectFaults([](const Request&) { return simulator::HoldAfter(20000); });
    daemon_ = Daemon::WithConfiguration(Configuration(), role);
    if (daemon_->address().empty() && daemon_->Wait() == Daemon::kNotPermitted) {
      GTEST_SKIP() << "PID namespaces need root";
    }
    const auto stub = v1::ParticipantService::NewStub(
        grpc::CreateChannel(daemon_->address(), grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    const auto reader = stub->ListParticipants(&context, ConferenceRequest(500));
    v1::ListParticipantsResponse response;
    ASSERT_TRUE(reader->Read(&response));
    ASSERT_TRUE(simulator_->WaitUntilHolding(1));
    daemon_->Signal(SIGTERM);
    while (!absl::StrContains(daemon_->Errors(), "draining")) std::this_thread::yield();
    // The handlers are installed before that is logged.
    daemon_->Signal(SIGTERM);
    EXPECT_EQ(daemon_->Wait(), 128 + SIGTERM);
    while (reader->Read(&response)) {
    }
    simulator_->Release();
  }
}

TEST_F(OperationTest, SigtermLetsRunningListsComplete) {
  simulator_->InjectFaults([](const Request&) { return simulator::HoldAfter(20000); });
  grpc::ClientContext context;
  const auto reader = stub().ListParticipants(&context, ConferenceRequest(500));
  v1::ListParticipantsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));
  daemon_->Signal(SIGTERM);
  // It refuses new calls from the moment that it received the signal.
  grpc::Status refused;
  do {
    grpc::ClientContext other;
    v1::GetParticipantRequest request;
    v1::GetParticipantResponse unused;
    refused = stub().GetParticipant(&other, request, &unused);
  } while (refused.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_FALSE(refused.ok());
  simulator_->Release();
  int count = 1;
  while (reader->Read(&response)) ++count;
  const grpc::Status status = reader->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(count, 500);
  EXPECT_EQ(daemon_->Wait(), 0);
}

TEST_F(OperationTest, RunningListsEndWithTokenAfterDrainTimeout) {
  StartDaemon({{"drain_timeout_seconds", 0.2}});
  const simulator::List list(simulator::Api::kVoiceInsights, 500);
  simulator_->InjectFaults([](const Request&) { return simulator::HoldAfter(20000); });
  grpc::ClientContext context;
  const auto reader = stub().ListParticipants(&context, RequestFor(list));
  v1::ListParticipantsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  daemon_->Signal(SIGTERM);
  std::vector<std::string> ids;
  do {
    ids.push_back(response.participant().conference_participant_summary().participant_sid());
  } while (reader->Read(&response));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Reason(status), "SERVER_DRAINING");
  EXPECT_EQ(daemon_->Wait(), 0);
  EXPECT_TRUE(simulator_->WaitForDisconnects(1));

  const auto token = context.GetServerTrailingMetadata().find("rollcall-resume-token");
  ASSERT_NE(token, context.GetServerTrailingMetadata().end());
  v1::ListParticipantsRequest rest = RequestFor(list);
  rest.set_resume_token(std::string(token->second.data(), token->second.size()));
  StartDaemon();
  simulator_->InjectFaults(nullptr);
  for (const v1::Participant& participant : List(rest).participants) {
    ids.push_back(participant.conference_participant_summary().participant_sid());
  }
  ASSERT_EQ(ids.size(), 500u);
  for (int i = 0; i < 500; ++i) EXPECT_EQ(ids[i], ParticipantSid(list, i));
}

TEST_F(OperationTest, StalledCallerDoesNotDelayShutdown) {
  StartDaemon({{"drain_timeout_seconds", 0}});
  grpc::ClientContext context;
  const auto reader = stub().ListParticipants(&context, ConferenceRequest(100000));
  v1::ListParticipantsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
}

// Acts as systemd for a service of Type=notify.
class ServiceManager {
 public:
  ServiceManager() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    // Autobind: the kernel chooses an abstract name.
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)), 0);
    socklen_t size = sizeof(address);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    name_ = "@" + std::string(address.sun_path + 1, size - offsetof(sockaddr_un, sun_path) - 1);
    setenv("NOTIFY_SOCKET", name_.c_str(), 1);
  }
  ~ServiceManager() {
    unsetenv("NOTIFY_SOCKET");
    close(fd_);
  }
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  // The next notification; does not wait.
  std::string Heard() const {
    std::array<char, 256> message{};
    const ssize_t size = recv(fd_, message.data(), message.size(), MSG_DONTWAIT);
    return size < 0 ? "" : std::string(message.data(), static_cast<size_t>(size));
  }

 private:
  const int fd_;
  std::string name_;
};

TEST_F(OperationTest, NotifiesSystemdOfReadinessAndStopTimeout) {
  const ServiceManager manager;
  EXPECT_EQ(Daemon({"--config", "/dev/null"}).Wait(), 78);
  EXPECT_EQ(manager.Heard(), "");
  StartDaemon({{"drain_timeout_seconds", 2.5}});
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
  EXPECT_EQ(manager.Heard(), "READY=1");
  EXPECT_EQ(manager.Heard(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=12500000");
  EXPECT_EQ(manager.Heard(), "");
}

TEST_F(OperationTest, ServesIfNotifySocketIsUnreachable) {
  for (const std::string& name :
       {std::string("/nonexistent"), std::string(), std::string("@"), std::string(500, 'x')}) {
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
    StartDaemon();
    unsetenv("NOTIFY_SOCKET");
    ExpectStillServes();
  }
}

TEST_F(OperationTest, WritesNoCoreDump) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_CORE, &before), 0);
  if (before.rlim_max <= 1) GTEST_SKIP() << "the hard limit disables core dumps here";
  rlimit raised = before;
  raised.rlim_cur = raised.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_CORE, &raised), 0);
  StartDaemon();
  setrlimit(RLIMIT_CORE, &before);
  EXPECT_EQ(daemon_->CoreLimit(), 1u);
}

TEST_F(OperationTest, ClosesUpstreamSockets) {
  ASSERT_TRUE(List(ConferenceRequest(10)).status.ok());
  const size_t before = daemon_->OpenSockets();
  for (int i = 0; i < 20; ++i) {
    simulator_->InjectFaults([i](const Request&) {
      Fault fault;
      if (i % 2 == 0) fault.cut_after = 100;
      return fault;
    });
    v1::ListParticipantsRequest request = ConferenceRequest(100);
    request.set_limit(i % 3);
    List(request);
  }
  // The service connects to itself now and then.
  while (daemon_->IsRunning() && daemon_->OpenSockets() > before + 1) std::this_thread::yield();
  EXPECT_TRUE(daemon_->IsRunning());
}

TEST(Arguments, WrongConfigurationIsRefusedWithPathOfKey) {
  Daemon daemon({"--config", "/dev/null"});
  EXPECT_EQ(daemon.Wait(), 78);
  EXPECT_THAT(daemon.Errors(), HasSubstr("rollcalld: "));
}

TEST(Arguments, HelpVersionAndUnknownOption) {
  EXPECT_EQ(Daemon({"--help"}).Wait(), 0);
  EXPECT_EQ(Daemon({"--version"}).Wait(), 0);
  EXPECT_NE(Daemon({"--nonsense"}).Wait(), 0);
}

}  // namespace
}  // namespace rollcall
