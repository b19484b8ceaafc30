// Authentication and authorization with real certificates: TLS, client certificates and their
// replacement; the policy.
#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "rollcall/channel.h"
#include "rollcall/participant_client.h"
#include "tests/end_to_end/access.h"
#include "tests/end_to_end/raw_connection.h"

namespace rollcall {
namespace {

using simulator::Request;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class TlsTest : public CallerAccessTest {
 protected:
  // Whether a caller with this certificate gets a list.
  bool Serves(const Certificate* certificate) const {
    return ListOver(*Connect(certificate), ConferenceRequest(3)).status.ok();
  }

  // Waits until gRPC has read rollcalld's certificate and key again completely; before that, new
  // connections may get the pair of up to a second ago. For servers that request no client
  // certificates. False if rollcalld exits.
  bool WaitUntilPairIsRead() const {
    const int events = inotify_init1(IN_CLOEXEC);
    for (const std::string& path : daemon_->FilesInMemory()) {
      EXPECT_GE(inotify_add_watch(events, path.c_str(), IN_OPEN | IN_CLOSE), 0);
    }
    // Each reading opens the file twice, for key and certificate. The first event may belong to a
    // reading that had already begun, the next two are a complete one, and the fourth follows its
    // end.
    int opened = 0;
    while (opened < 4 && daemon_->IsRunning()) {
      pollfd polled{events, POLLIN, 0};
      constexpr int kMilliseconds = 100;  // how often to check that rollcalld still runs
      if (poll(&polled, 1, kMilliseconds) <= 0) continue;
      inotify_event event{};  // has no name, because the watch is on a file
      if (read(events, &event, sizeof(event)) != sizeof(event)) break;
      if ((event.mask & IN_OPEN) != 0) ++opened;
    }
    close(events);
    return opened == 4;
  }
};

TEST_F(TlsTest, ServesOverTlsOnly) {
  StartDaemon({{"tls", Tls()}});
  EXPECT_EQ(ListOver(*Connect(), ConferenceRequest(500)).participants.size(), 500u);
  const Listing plain = ListOver(*ConnectWithoutTls(), ConferenceRequest(3));
  EXPECT_EQ(plain.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(plain.participants.empty());
}

TEST_F(TlsTest, OnlyCertificatesOfTheAuthorityAreServed) {
  StartDaemon({{"tls", MutualTls()}});
  const Certificate good = authority_.SignNames("URI:spiffe://test/caller");
  EXPECT_TRUE(Serves(&good));
  EXPECT_FALSE(Serves(nullptr));
  const Certificate stranger =
      Certificate::Authority("Test authority").SignNames("URI:spiffe://test/caller");
  EXPECT_FALSE(Serves(&stranger));
  const Certificate expired = authority_.SignNames("URI:spiffe://test/caller", -7200, -3600);
  EXPECT_FALSE(Serves(&expired));
  const Certificate early = authority_.SignNames("URI:spiffe://test/caller", 3600, 7200);
  EXPECT_FALSE(Serves(&early));
  EXPECT_TRUE(Serves(&good));
}

// TLS itself checks the expiry only in the handshake.
TEST_F(TlsTest, CertificateThatExpiresDuringItsConnectionIsRefused) {
  StartDaemon({{"tls", MutualTls()}});
  // On a slow machine the first certificate may expire before its connection is made.
  std::unique_ptr<v1::ParticipantService::Stub> stub;
  bool served = false;
  for (long lifetime = 2; !served && lifetime < 1000; lifetime *= 2) {
    const Certificate caller = authority_.SignNames("URI:spiffe://test/caller", -3600, lifetime);
    stub = Connect(&caller);
    served = ListOver(*stub, ConferenceRequest(3)).status.ok();
  }
  ASSERT_TRUE(served);
  grpc::Status status;
  do {
    status = ListOver(*stub, ConferenceRequest(3)).status;
  } while (status.ok());
  EXPECT_EQ(Reason(status), "CALLER_UNAUTHENTICATED") << status.error_message();
}

TEST_F(TlsTest, NewConnectionsGetRenewedCertificateAndRunningListContinues) {
  StartDaemon({{"tls", Tls()}});
  const auto stub = Connect();
  simulator_->InjectFaults([](const Request&) { return simulator::HoldAfter(20000); });
  grpc::ClientContext context;
  const auto reader = stub->ListParticipants(&context, ConferenceRequest(500));
  v1::ListParticipantsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));

  const Certificate renewed = RenewCertificate();
  while (daemon_->IsRunning() && CertificateMet() != renewed.certificate()) {
  }
  EXPECT_TRUE(WaitForLog(R"("event":"reloaded","what":"tls")"));
  simulator_->Release();
  int count = 1;
  while (reader->Read(&response)) ++count;
  const grpc::Status status = reader->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(count, 500);
}

TEST_F(TlsTest, InvalidPairIsRefusedAndPreviousPairIsKept) {
  StartDaemon({{"tls", Tls()}});
  const std::string met = CertificateMet();
  ASSERT_NE(met, "");
  // A key that does not match the certificate.
  Write("server.key", authority_.key());
  EXPECT_TRUE(
      WaitForLog(R"("event":"reload_refused","what":"tls","problem":"tls.private_key_file: )"
                 R"(the key does not belong)"));
  EXPECT_TRUE(WaitUntilPairIsRead());
  EXPECT_EQ(CertificateMet(), met);
  unlink(PathOf("server.pem").c_str());
  EXPECT_TRUE(WaitForLog("tls.certificate_file: cannot open the file"));
  EXPECT_TRUE(WaitUntilPairIsRead());
  EXPECT_EQ(CertificateMet(), met);
  // The next valid pair is used, whatever was wrong before.
  const Certificate renewed = RenewCertificate();
  while (daemon_->IsRunning() && CertificateMet() != renewed.certificate()) {
  }
  EXPECT_TRUE(daemon_->IsRunning());
}

TEST_F(TlsTest, ClientAuthorityIsReloaded) {
  StartDaemon({{"tls", MutualTls()}});
  const Certificate other = Certificate::Authority("Other authority");
  const Certificate theirs = other.SignNames("DNS:their.example");
  const Certificate ours = authority_.SignNames("DNS:our.example");
  EXPECT_FALSE(Serves(&theirs));
  Write("ca.pem", authority_.certificate() + other.certificate());
  while (daemon_->IsRunning() && !Serves(&theirs)) {
  }
  EXPECT_TRUE(Serves(&ours));
  Write("ca.pem", other.certificate());
  while (daemon_->IsRunning() && Serves(&ours)) {
  }
  EXPECT_TRUE(Serves(&theirs));
}

// With a policy: "billing", by certificate, may list conferences of one account; "support", by
// token.
class CallerPolicyTest : public CallerAccessTest {
 protected:
  static constexpr char kToken[] = "abc";
  static constexpr char kTokenSha256[] =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  static nlohmann::json Billing() {
    return {{"name", "billing"},
            {"uri_sans", {"spiffe://test/billing"}},
            {"upstreams", {"twilio"}},
            {"lists", {"conference_participant_summaries"}}};
  }
  static nlohmann::json Support() {
    return {{"name", "support"},
            {"token_sha256", {kTokenSha256}},
            {"upstreams", "all"},
            {"lists", "all"},
            {"pii", true}};
  }

  void WritePolicy(const std::vector<nlohmann::json>& callers) const {
    Write("policy.json", nlohmann::json{{"callers", callers}}.dump());
  }

  // Starts rollcalld with this policy and optional client certificates.
  void StartWithPolicy(const std::vector<nlohmann::json>& callers,
                       nlohmann::json changes = nlohmann::json::object()) {
    WritePolicy(callers);
    changes["tls"] = MutualTls("optional");
    changes["policy_file"] = PathOf("policy.json");
    StartDaemon(changes);
  }

  const Certificate billing_ = authority_.SignNames("URI:spiffe://test/billing");
};

std::string Denied(const grpc::Status& status) {
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  const auto denied = info.metadata().find("denied");
  return denied == info.metadata().end() ? "" : denied->second;
}

TEST_F(CallerPolicyTest, CallersAuthenticateByCertificateOrToken) {
  StartWithPolicy({Billing(), Support()});
  EXPECT_TRUE(ListOver(*Connect(&billing_), ConferenceRequest(3)).status.ok());
  EXPECT_TRUE(ListOver(*Connect(), ConferenceRequest(3), kToken).status.ok());

  for (const char* token : {"", "abd", "Abc", kTokenSha256}) {
    const Listing refused = ListOver(*Connect(), ConferenceRequest(3), token);
    EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << token;
    EXPECT_EQ(Reason(refused.status), "CALLER_UNAUTHENTICATED");
  }
  const Certificate stranger = authority_.SignNames("URI:spiffe://test/stranger");
  const Listing refused = ListOver(*Connect(&stranger), ConferenceRequest(3));
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Reason(refused.status), "CALLER_NOT_PERMITTED");
  EXPECT_EQ(Denied(refused.status), "caller");
  EXPECT_EQ(simulator_->requests().size(), 2u)
      << "a request was sent upstream for a refused caller";
}

TEST_F(CallerPolicyTest, MalformedAndRepeatedTokensAreRefused) {
  StartWithPolicy({Support()});
  const auto stub = Connect();
  const auto status_with = [&](const std::vector<std::string>& values) {
    grpc::ClientContext context;
    for (const std::string& value : values) context.AddMetadata("authorization", value);
    v1::GetParticipantResponse response;
    return stub->GetParticipant(&context, v1::GetParticipantRequest(), &response);
  };
  EXPECT_EQ(Reason(status_with({"Bearer abc"})), "INVALID_REQUEST");
  EXPECT_EQ(Reason(status_with({"bearer abc"})), "INVALID_REQUEST");
  for (const auto& values : std::vector<std::vector<std::string>>{
           {"abc"}, {"Basic abc"}, {"Bearer"}, {"Bearer "}, {"Bearer abc", "Bearer abc"}}) {
    EXPECT_EQ(Reason(status_with(values)), "CALLER_UNAUTHENTICATED") << values[0];
  }
}

TEST_F(CallerPolicyTest, ForbiddenAccountLooksLikeUnknownAccount) {
  StartWithPolicy({Billing()});
  const auto stub = Connect(&billing_);
  v1::ListParticipantsRequest request = ConferenceRequest(3);
  request.set_upstream("twilio");
  EXPECT_TRUE(ListOver(*stub, request).status.ok());
  request.set_upstream("signalwire");
  const grpc::Status other = ListOver(*stub, request).status;
  request.set_upstream("nowhere");
  const grpc::Status none = ListOver(*stub, request).status;
  EXPECT_EQ(other.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Denied(other), "upstream");
  EXPECT_EQ(other.error_message(), none.error_message());
  EXPECT_EQ(Reason(other), Reason(none));
  EXPECT_EQ(Denied(other), Denied(none));
}

TEST_F(CallerPolicyTest, ForbiddenKindOfListIsRefused) {
  StartWithPolicy({Billing()});
  const auto stub = Connect(&billing_);
  const Listing rooms = ListOver(*stub, RequestFor({simulator::Api::kVideoInsights, 3}));
  EXPECT_EQ(rooms.status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Denied(rooms.status), "list");
  v1::GetParticipantRequest get;
  get.mutable_room_participant_summary();
  grpc::ClientContext context;
  v1::GetParticipantResponse response;
  EXPECT_EQ(Denied(stub->GetParticipant(&context, get, &response)), "list");
}

TEST_F(CallerPolicyTest, DefaultUpstreamIsChosenAmongPermittedAccounts) {
  nlohmann::json caller = Support();
  caller["upstreams"] = {"signalwire"};
  StartWithPolicy({caller});
  v1::ListParticipantsRequest live = RequestFor({simulator::Api::kSignalWire, 3});
  live.clear_upstream();
  EXPECT_EQ(ListOver(*Connect(), live, kToken).participants.size(), 3u);
  const grpc::Status status = ListOver(*Connect(), ConferenceRequest(3), kToken).status;
  EXPECT_EQ(Reason(status), "INVALID_REQUEST");
  EXPECT_THAT(status.error_message(), Not(HasSubstr("twilio")));
}

TEST_F(CallerPolicyTest, HealthNeedsNoTokenAndReflectionCanBeDisabled) {
  const auto call = [this](const std::string& method) {
    std::string answer;
    return CallWithBytes(ChannelFor(nullptr), method, "", answer).error_code();
  };
  const std::string reflection = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  StartWithPolicy({});
  EXPECT_EQ(call("/grpc.health.v1.Health/Check"), grpc::StatusCode::OK);
  EXPECT_NE(call(reflection), grpc::StatusCode::UNIMPLEMENTED);
  StartWithPolicy({}, {{"reflection", false}});
  EXPECT_EQ(call("/grpc.health.v1.Health/Check"), grpc::StatusCode::OK);
  EXPECT_EQ(call(reflection), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(CallerPolicyTest, RemovedCallerGetsNoNewCallsAndFinishesRunningOnes) {
  StartWithPolicy({Support()});
  simulator_->InjectFaults([](const Request&) { return simulator::HoldAfter(20000); });
  const auto stub = Connect();
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer abc");
  const auto reader = stub->ListParticipants(&context, ConferenceRequest(500));
  v1::ListParticipantsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));

  WritePolicy({Billing()});
  v1::ListParticipantsRequest refused;  // refused before any request to the provider
  while (daemon_->IsRunning() &&
         Reason(ListOver(*stub, refused, kToken).status) != "CALLER_UNAUTHENTICATED") {
  }
  EXPECT_TRUE(WaitForLog(R"("event":"reloaded","what":"policy_file")"));
  simulator_->InjectFaults(nullptr);
  simulator_->Release();
  int count = 1;
  while (reader->Read(&response)) ++count;
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(count, 500);
  EXPECT_TRUE(ListOver(*Connect(&billing_), ConferenceRequest(3)).status.ok());
}

TEST_F(CallerPolicyTest, PersonalDataIsOnlyForPermittedCallers) {
  StartWithPolicy({Billing(), Support()});
  const v1::ListParticipantsRequest request = ConferenceRequest(kSeedConference);
  const Listing all = ListOver(*Connect(), request, kToken);
  const auto billing = Connect(&billing_);
  const Listing some = ListOver(*billing, request);
  ASSERT_EQ(all.participants.size(), 2u);
  ASSERT_EQ(some.participants.size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    v1::ConferenceParticipantSummary expected =
        all.participants[i].conference_participant_summary();
    EXPECT_TRUE(expected.has_from_address() || expected.has_to_address() || expected.has_label());
    expected.clear_from_address();
    expected.clear_to_address();
    expected.clear_label();
    EXPECT_EQ(some.participants[i].conference_participant_summary().SerializeAsString(),
              expected.SerializeAsString());
  }

  v1::ListParticipantsRequest masked = request;
  masked.mutable_read_mask()->add_paths("*");
  const Listing asterisk = ListOver(*billing, masked);
  EXPECT_TRUE(asterisk.status.ok()) << asterisk.status.error_message();
  ASSERT_EQ(asterisk.participants.size(), some.participants.size());
  for (size_t i = 0; i < some.participants.size(); ++i) {
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(asterisk.participants[i],
                                                                   some.participants[i]));
  }

  masked = request;
  masked.mutable_read_mask()->add_paths("call_sid");
  EXPECT_TRUE(ListOver(*billing, masked).status.ok());
  masked.mutable_read_mask()->add_paths("from_address");
  const grpc::Status field = ListOver(*billing, masked).status;
  EXPECT_EQ(field.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Reason(field), "CALLER_NOT_PERMITTED");
  EXPECT_EQ(Denied(field), "field");
  EXPECT_THAT(field.error_message(), HasSubstr("from_address"));

  v1::ListParticipantsRequest filtered = request;
  filtered.mutable_conference_participant_summaries()->set_label("Ada");
  const grpc::Status filter = ListOver(*billing, filtered).status;
  EXPECT_EQ(Denied(filter), "filter");
  EXPECT_THAT(filter.error_message(), Not(HasSubstr("Ada")));
  EXPECT_TRUE(ListOver(*Connect(), filtered, kToken).status.ok());
}

TEST_F(CallerPolicyTest, LookupByHiddenLabelIsRefused) {
  nlohmann::json caller = Support();
  caller["pii"] = false;
  StartWithPolicy({caller});
  v1::GetParticipantRequest get;
  get.set_upstream("twilio");
  get.mutable_live_participant()->set_conference_sid(kSeedConference);
  get.mutable_live_participant()->set_call_sid("Ada");
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer abc");
  v1::GetParticipantResponse response;
  EXPECT_EQ(Denied(Connect()->GetParticipant(&context, get, &response)), "filter");
  EXPECT_TRUE(simulator_->requests().empty());
}

TEST_F(CallerPolicyTest, ClientLibrarySendsCertificatesAndTokens) {
  StartWithPolicy({Billing(), Support()});
  // By the name in the certificate.
  const std::string& address = daemon_->address();
  const std::string target = "localhost" + address.substr(address.rfind(':'));
  const auto status_with = [&](const ChannelOptions& options) {
    CallOptions call;
    call.retry_policy = std::make_shared<LimitedRetryPolicy>(RetryLimits{.max_retries = 0});
    const ParticipantClient client(MakeChannel(target, options));
    int count = 0;
    for (const auto& participant : client.List(ConferenceRequest(3), call)) {
      if (!participant.ok()) return participant.status();
      ++count;
    }
    EXPECT_EQ(count, 3);
    return absl::OkStatus();
  };
  ChannelOptions by_certificate;
  by_certificate.tls = ChannelTls{authority_.certificate(), billing_.certificate(), billing_.key()};
  EXPECT_TRUE(status_with(by_certificate).ok());

  ChannelOptions by_token;
  by_token.tls.emplace().ca_certificates = authority_.certificate();
  EXPECT_EQ(status_with(by_token).code(), absl::StatusCode::kUnauthenticated);
  by_token.token = [] { return std::string(kToken); };
  EXPECT_TRUE(status_with(by_token).ok());
  // A server with an unknown certificate does not receive the token.
  by_token.tls->ca_certificates = Certificate::Authority("Other authority").certificate();
  EXPECT_EQ(status_with(by_token).code(), absl::StatusCode::kUnavailable);
}

TEST_F(CallerPolicyTest, ClientLibrarySendsNoTokenUnencrypted) {
  static constexpr char kOverheard[] = "token-on-an-unencrypted-connection";
  const std::string settings = Frame(FrameType::kSettings, 0, 0, "");
  RawListener listener;

  // Without TLS, any HTTP/2 server would receive it.
  {
    grpc::ClientContext context;
    context.AddMetadata("authorization", absl::StrCat("Bearer ", kOverheard));
    const auto stub = v1::ParticipantService::NewStub(
        grpc::CreateChannel(listener.address(), grpc::InsecureChannelCredentials()));
    v1::GetParticipantResponse response;
    const std::future<grpc::Status> call = std::async(std::launch::async, [&] {
      return stub->GetParticipant(&context, v1::GetParticipantRequest(), &response);
    });
    RawConnection peer = listener.Accept();
    EXPECT_TRUE(peer.Send(settings));
    EXPECT_TRUE(peer.ReadUntil(absl::StrCat("Bearer ", kOverheard)));
    context.TryCancel();
  }

  ChannelOptions options;
  options.token = [] { return std::string(kOverheard); };
  CallOptions once;
  once.retry_policy = std::make_shared<LimitedRetryPolicy>(RetryLimits{.max_retries = 0});
  std::future<absl::Status> status = std::async(std::launch::async, [&] {
    return ParticipantClient(MakeChannel(listener.address(), options)).Get({}, once).status();
  });
  RawConnection peer = listener.Accept();
  EXPECT_TRUE(peer.Send(settings));
  EXPECT_FALSE(peer.ReadUntil("Bearer"));
  const std::string sent = peer.ReadToEnd();
  EXPECT_THAT(sent, StartsWith("\x16\x03"));  // a TLS ClientHello
  EXPECT_THAT(sent, Not(HasSubstr(kOverheard)));
  EXPECT_EQ(status.get().code(), absl::StatusCode::kUnavailable);
}

TEST_F(CallerPolicyTest, BrokenPolicyIsRefusedAndPreviousPolicyStays) {
  StartWithPolicy({Billing()});
  nlohmann::json broken = Support();
  broken["upstream"] = "all";
  WritePolicy({Support(), broken});
  EXPECT_TRUE(WaitForLog(R"("event":"reload_refused","what":"policy_file")"));
  EXPECT_TRUE(ListOver(*Connect(&billing_), ConferenceRequest(3)).status.ok());
  EXPECT_FALSE(ListOver(*Connect(), ConferenceRequest(3), kToken).status.ok());
}

TEST_F(CallerPolicyTest, BrokenPolicyPreventsStart) {
  Write("policy.json", R"({"callers": [{"name": "billing"}]})");
  nlohmann::json configuration = Configuration();
  configuration["policy_file"] = PathOf("policy.json");
  const auto refused = Daemon::WithConfiguration(configuration);
  EXPECT_EQ(refused->Wait(), 78);
  EXPECT_THAT(refused->Errors(), HasSubstr("policy.json: callers[0].uri_sans: missing"));
}

TEST(PlaintextTest, UnencryptedListeningBeyondLoopbackMustBeConfigured) {
  const nlohmann::json configuration = SimulatorConfiguration("http://127.0.0.1:1");
  nlohmann::json open = configuration;
  open["listen"] = "0.0.0.0:0";
  const auto refused = Daemon::WithConfiguration(open);
  EXPECT_EQ(refused->Wait(), 78);
  EXPECT_THAT(refused->Errors(), HasSubstr("allow_plaintext_callers"));
  open["allow_plaintext_callers"] = true;
  EXPECT_NE(Daemon::WithConfiguration(open)->address(), "");
}

}  // namespace
}  // namespace rollcall
