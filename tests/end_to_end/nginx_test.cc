// Tests that need a provider behind TLS: certificates, shared connections, and a front end that
// crashes or is replaced during lists.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/end_to_end/recovery.h"

namespace rollcall {
namespace {

using simulator::Fault;
using simulator::Request;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class NginxTest : public RecoveryTest {
 protected:
  void SetUp() override {
    RecoveryTest::SetUp();
    request_ = RequestFor(list_);
    request_.set_page_size(10);
    Fault held;
    held.hold_after = 3000;
    InjectFault("&Page=1&", 1, held);
  }

  // Reads a list of five pages, and runs a function in the middle of the second.
  Reading ReadWhile(const std::function<void()>& in_the_second_page,
                    const std::function<void()>& mend) {
    return ExpectExactly(request_, Ids(list_), mend, [&](size_t count) {
      if (count != 10) return;
      ASSERT_TRUE(simulator_->WaitUntilHolding(1));
      in_the_second_page();
      simulator_->Release();
    });
  }

  const simulator::List list_{simulator::Api::kVoiceInsights, 50};
  v1::ListParticipantsRequest request_;
};

INSTANTIATE_TEST_SUITE_P(Routes, NginxTest, ::testing::Values(Route::kTls, Route::kHttp2),
                         [](const auto& param_info) { return NameOf(param_info.param); });

TEST_P(NginxTest, ResumesAfterFrontIsKilledInTheBody) {
  const Reading reading = ReadWhile([this] { nginx_->Kill(); }, [this] { nginx_->Start(); });
  EXPECT_EQ(Reason(reading.status), "UPSTREAM_UNREACHABLE") << reading.status.error_message();
  EXPECT_GE(reading.ids.size(), 10u);
}

TEST_P(NginxTest, QuickRestartOfFrontIsNotNoticed) {
  StartDaemon(
      {{"retry",
        {{"max_attempts", 100}, {"initial_backoff_seconds", 0.01}, {"max_backoff_seconds", 1}}}});
  const Reading reading = ReadWhile(
      [this] {
        nginx_->Kill();
        nginx_->Start();
      },
      [] {});
  EXPECT_TRUE(reading.status.ok()) << reading.status.error_message();
}

TEST_P(NginxTest, ReloadOfFrontIsNotNoticed) {
  // The old worker completes the running page, and takes no other request on that connection.
  const Reading reading = ReadWhile([this] { nginx_->Reload(); }, [] {});
  EXPECT_TRUE(reading.status.ok()) << reading.status.error_message();
  EXPECT_GE(Seen("Client-Connection").size(), 2u);
}

TEST_P(NginxTest, ResumesAfterFrontShutsDownInTheBody) {
  const Reading reading = ReadWhile([this] { nginx_->Quit(); },
                                    [this] {
                                      nginx_->Wait();
                                      nginx_->Start();
                                    });
  EXPECT_EQ(Reason(reading.status), "UPSTREAM_UNREACHABLE") << reading.status.error_message();
  EXPECT_GE(reading.ids.size(), 20u);  // includes the page that was running
}

TEST_P(NginxTest, ParallelListsShareAConnectionOnlyOverHttp2) {
  StartDaemon({{"event_loops", 1}});  // each event loop has its own connections
  constexpr size_t kLists = 20;
  simulator_->InjectFaults([](const Request&) {
    Fault fault;
    fault.hold_before_head = true;
    return fault;
  });
  std::vector<std::thread> callers;
  std::vector<Listing> listings(kLists);
  callers.reserve(kLists);
  for (size_t i = 0; i < kLists; ++i) {
    callers.emplace_back(
        [this, i, &listings] { listings[i] = List(ConferenceRequest(100 + static_cast<int>(i))); });
  }
  EXPECT_TRUE(simulator_->WaitUntilHolding(kLists));
  simulator_->Release();
  for (std::thread& caller : callers) caller.join();
  for (size_t i = 0; i < kLists; ++i) {
    EXPECT_TRUE(listings[i].status.ok()) << listings[i].status.error_message();
    EXPECT_EQ(listings[i].participants.size(), 100 + i);
  }
  EXPECT_EQ(Seen("Client-Connection").size(), route() == Route::kHttp2 ? 1 : kLists);
}

TEST_P(NginxTest, StalledCallerDoesNotBlockOtherLists) {
  StartDaemon({{"event_loops", 1}});
  simulator_->InjectFaults(nullptr);
  // This client reads ahead at most 64 KiB.
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  const auto narrow = v1::ParticipantService::NewStub(
      grpc::CreateCustomChannel(daemon_->address(), grpc::InsecureChannelCredentials(), arguments));
  constexpr int kSize = 20000;
  const simulator::List stalled_list(simulator::Api::kVoiceInsights, kSize);
  grpc::ClientContext context;
  const auto stalled = narrow->ListParticipants(&context, RequestFor(stalled_list));
  v1::ListParticipantsResponse response;
  ASSERT_TRUE(stalled->Read(&response));
  const size_t before = daemon_->ResidentBytes();

  for (int i = 0; i < 5; ++i) {
    const Listing listing = List(ConferenceRequest(3000));
    EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
    EXPECT_EQ(listing.participants.size(), 3000u);
  }
  // They completed while the first list was stalled in its first page.
  size_t pages = 0;
  for (const Request& request : simulator_->requests()) {
    pages += absl::StrContains(request.target, ListSid(stalled_list)) ? 1 : 0;
  }
  EXPECT_LE(pages, 2u);  // one is the prefetched page
  if (route() == Route::kHttp2) {
    EXPECT_EQ(Seen("Client-Connection").size(), 1u);
  }
  const size_t now = daemon_->ResidentBytes();
  RecordProperty("resident_growth_while_stalled", static_cast<int>(now - std::min(before, now)));

  int read = 1;
  while (stalled->Read(&response)) ++read;
  EXPECT_TRUE(stalled->Finish().ok());
  EXPECT_EQ(read, kSize);
}

TEST_P(NginxTest, UntrustedCertificateIsReported) {
  const Certificate authority = Certificate::Authority();
  constexpr long kDay = 86400;
  const struct {
    const char* what;
    Certificate certificate;
  } cases[] = {
      {"unable to get local issuer certificate",
       Certificate::Authority("Another").Sign("localhost")},
      {"self-signed certificate", Certificate::Authority("localhost")},
      {"it is not for this host", authority.Sign("localhost.example")},
      {"certificate has expired", authority.Sign("localhost", -kDay, -3600)},
      {"certificate is not yet valid", authority.Sign("localhost", 3600, kDay)},
  };
  for (const auto& [what, certificate] : cases) {
    StartNginx(authority, certificate, route() == Route::kHttp2);
    StartDaemon();
    const Listing listing = List(request_);
    EXPECT_EQ(listing.status.error_code(), grpc::StatusCode::INTERNAL);
    EXPECT_EQ(Reason(listing.status), "UPSTREAM_NOT_TRUSTED");
    EXPECT_THAT(listing.status.error_message(), HasSubstr(what));
    EXPECT_EQ(listing.trailers.at("rollcall-attempts"), "1");
    v1::GetParticipantRequest request;
    request.mutable_conference_participant_summary()->set_conference_sid(kSeedConference);
    request.mutable_conference_participant_summary()->set_participant_sid(
        "CPaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    v1::Participant participant;
    EXPECT_EQ(Reason(Get(request, participant)), "UPSTREAM_NOT_TRUSTED");
  }
  EXPECT_THAT(simulator_->requests(), IsEmpty());
}

TEST_P(NginxTest, WithoutCaFileSystemAuthoritiesAreUsed) {
  nlohmann::json configuration = Configuration();
  configuration["upstreams"][0].erase("ca_file");
  StartDaemon({{"upstreams", configuration["upstreams"]}});
  EXPECT_EQ(Reason(List(request_).status), "UPSTREAM_NOT_TRUSTED");
  EXPECT_THAT(simulator_->requests(), IsEmpty());
}

TEST_P(NginxTest, MissingCaFileIsReported) {
  const nlohmann::json configuration = Configuration();
  std::filesystem::remove(configuration["upstreams"][0]["ca_file"].get<std::string>());
  const Listing listing = List(request_);
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_NOT_TRUSTED");
  EXPECT_THAT(listing.status.error_message(), HasSubstr("ca_file"));
}

TEST_P(NginxTest, ServerWithoutTlsIsUnreachable) {
  nlohmann::json configuration = Configuration();
  const std::string plain = simulator_->base_url();
  configuration["upstreams"][0]["insights_base_url"] =
      absl::StrCat("https://localhost", plain.substr(plain.rfind(':')));
  StartDaemon({{"upstreams", configuration["upstreams"]}});
  const Listing listing = List(request_);
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_UNREACHABLE");
  EXPECT_THAT(listing.status.error_message(), HasSubstr("TLS"));
}

// Providers that support only one version of TLS.
class TlsVersionTest : public EndToEndTest {
 protected:
  // The status of a list if the provider supports `spoken` and the upstream requires
  // `min_tls_version`.
  grpc::Status ListFrom(const std::string& spoken, const char* min_tls_version) {
    const Certificate authority = Certificate::Authority();
    const Nginx nginx(simulator_->base_url(), authority.Sign("localhost"), false, spoken);
    nlohmann::json configuration = Configuration();
    nlohmann::json& upstream = configuration["upstreams"][0];
    upstream["insights_base_url"] = nginx.url();
    upstream["ca_file"] = nginx.KeepFile("authority.pem", authority.certificate());
    if (min_tls_version != nullptr) upstream["min_tls_version"] = min_tls_version;
    StartDaemon({{"upstreams", configuration["upstreams"]}});
    return List(ConferenceRequest(10)).status;
  }
};

TEST_F(TlsVersionTest, VersionBelowTheMinimumIsUnreachable) {
  const grpc::Status status = ListFrom("TLSv1.2", "1.3");
  EXPECT_EQ(Reason(status), "UPSTREAM_UNREACHABLE");
  EXPECT_THAT(status.error_message(), HasSubstr("TLS"));
  // Debian's OpenSSL refuses TLS 1.1 by default.
  EXPECT_EQ(Reason(ListFrom("TLSv1.1", nullptr)), "UPSTREAM_UNREACHABLE");
  EXPECT_THAT(simulator_->requests(), IsEmpty());
}

TEST_F(TlsVersionTest, AllowedVersionsConnect) {
  for (const char* spoken : {"TLSv1.2", "TLSv1.3"}) {
    const grpc::Status status = ListFrom(spoken, nullptr);
    EXPECT_TRUE(status.ok()) << spoken << ": " << status.error_message();
  }
  const grpc::Status status = ListFrom("TLSv1.3", "1.3");
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(simulator_->requests().size(), 3u);
}

// Providers without HTTP/2 behind an upstream that has `http2` set.
class WithoutHttp2Test : public RecoveryFixture {
 protected:
  Route route() const override { return Route::kTls; }

  // Starts rollcalld with `http2` and changes to the first upstream.
  void StartWith(const nlohmann::json& changes = nlohmann::json::object()) {
    nlohmann::json configuration = Configuration();
    configuration["upstreams"][0]["http2"] = true;
    configuration["upstreams"][0].merge_patch(changes);
    StartDaemon({{"upstreams", configuration["upstreams"]}, {"retry", {{"max_attempts", 1}}}});
  }
};

TEST_F(WithoutHttp2Test, FallsBackToHttp1) {
  StartWith();
  const simulator::List list(simulator::Api::kVoiceInsights, 50);
  v1::ListParticipantsRequest request = RequestFor(list);
  request.set_page_size(10);
  EXPECT_EQ(Read(request).ids, Ids(list));
}

TEST_F(WithoutHttp2Test, RequestsWaitingToShareAConnectionTimeOutTogether) {
  // The provider accepts connections but never responds. One request connects, and the others wait
  // to share its connection.
  const int silent = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(silent, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(silent, SOMAXCONN), 0);
  getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size);
  StartWith({{"insights_base_url", absl::StrCat("https://127.0.0.1:", ntohs(address.sin_port))},
             {"connect_timeout_seconds", 1}});
  // One after the other, they would take a minute.
  constexpr size_t kLists = 60;
  std::vector<std::thread> callers;
  std::vector<Listing> listings(kLists);
  callers.reserve(kLists);
  for (size_t i = 0; i < kLists; ++i) {
    callers.emplace_back([this, i, &listings] {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
      listings[i] = List(context, ConferenceRequest(10));
    });
  }
  for (std::thread& caller : callers) caller.join();
  close(silent);
  for (const Listing& listing : listings) {
    EXPECT_EQ(Reason(listing.status), "UPSTREAM_TIMEOUT") << listing.status.error_message();
  }
}

}  // namespace
}  // namespace rollcall
