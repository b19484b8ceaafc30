#include "tests/end_to_end/recovery.h"

#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/simulator/sid_of.h"

namespace rollcall {
std::string NameOf(Route route) {
  switch (route) {
    case Route::kDirect:
      return "Direct";
    case Route::kTls:
      return "Tls";
    case Route::kHttp2:
      return "Http2";
  }
  return "";
}

void RecoveryFixture::SetUp() {
  // The machine's proxy, if any, cannot reach the test's servers.
  setenv("no_proxy", "localhost", 1);
  EndToEndTest::SetUp();
  if (route() == Route::kDirect) return;
  const Certificate authority = Certificate::Authority();
  StartNginx(authority, authority.Sign("localhost"), route() == Route::kHttp2);
  StartDaemon();
}

void RecoveryFixture::TearDown() {
  const std::string protocol[] = {"", "HTTP/1.1", "HTTP/2.0"};
  EXPECT_THAT(Seen("Client-Protocol"), ::testing::Each(protocol[static_cast<size_t>(route())]));
}

nlohmann::json RecoveryFixture::Configuration() const {
  nlohmann::json configuration = EndToEndTest::Configuration();
  configuration["retry"] = {
      {"max_attempts", 5}, {"initial_backoff_seconds", 0.002}, {"max_backoff_seconds", 2}};
  // Without the circuit breaker, so that faults are reported as they are; limits_test covers it.
  configuration["circuit_breaker"] = {{"failures", 1000000}};
  for (nlohmann::json& upstream : configuration["upstreams"]) {
    for (const char* key : {"insights_base_url", "api_base_url", "base_url"}) {
      if (upstream.contains(key)) upstream[key] = ProviderUrl();
    }
    if (!ca_file_.empty()) upstream["ca_file"] = ca_file_;
    if (http2_) upstream["http2"] = true;
    if (idle_timeout_) upstream["idle_timeout_seconds"] = *idle_timeout_;
  }
  return configuration;
}

void RecoveryFixture::StartWithIdleTimeout(double seconds) {
  idle_timeout_ = seconds;
  StartDaemon();
}

void RecoveryFixture::StartNginx(const Certificate& authority, const Certificate& certificate,
                                 bool http2) {
  nginx_.reset();
  nginx_ = std::make_unique<Nginx>(simulator_->base_url(), certificate, http2);
  http2_ = http2;
  ca_file_ = nginx_->KeepFile("authority.pem", authority.certificate());
}

std::string RecoveryFixture::ProviderUrl() const {
  return nginx_ == nullptr ? simulator_->base_url() : nginx_->url();
}

std::set<std::string> RecoveryFixture::Seen(const std::string& header) const {
  std::set<std::string> values;
  for (const simulator::Request& request : simulator_->requests()) {
    values.insert(request.Header(header));
  }
  return values;
}

Reading RecoveryFixture::Read(const v1::ListParticipantsRequest& request, size_t most,
                              const OnRecord& on_record) {
  Reading reading;
  grpc::ClientContext context;
  const auto reader = stub().ListParticipants(&context, request);
  v1::ListParticipantsResponse response;
  while (reading.ids.size() < most && reader->Read(&response)) {
    reading.ids.push_back(simulator::SidOf(response.participant()));
    reading.tokens.push_back(response.resume_token());
    if (on_record) on_record(reading.ids.size());
  }
  if (reading.ids.size() >= most) context.TryCancel();
  while (reader->Read(&response)) {
  }
  reading.status = reader->Finish();
  for (const auto& [key, value] : context.GetServerTrailingMetadata()) {
    reading.trailers[std::string(key.data(), key.size())] = std::string(value.data(), value.size());
  }
  return reading;
}

Reading RecoveryFixture::ExpectExactly(const v1::ListParticipantsRequest& request,
                                       const std::vector<std::string>& expected,
                                       const std::function<void()>& mend,
                                       const OnRecord& on_record) {
  const Reading begun = Read(request, SIZE_MAX, on_record);
  std::vector<std::string> all = begun.ids;
  if (!begun.status.ok()) {
    EXPECT_LE(all.size(), expected.size());
    mend();
    v1::ListParticipantsRequest rest = request;
    if (!begun.tokens.empty()) {
      EXPECT_NE(begun.tokens.back(), "");
      rest.set_resume_token(begun.trailers.at("rollcall-resume-token"));
    }
    const Reading reading = Read(rest);
    EXPECT_TRUE(reading.status.ok()) << reading.status.error_message();
    all.insert(all.end(), reading.ids.begin(), reading.ids.end());
  }
  EXPECT_EQ(all, expected) << begun.status.error_message();
  return begun;
}

Reading RecoveryFixture::ExpectExactly(const v1::ListParticipantsRequest& request,
                                       const std::vector<std::string>& expected) {
  return ExpectExactly(request, expected, [this] { simulator_->InjectFaults(nullptr); });
}

std::vector<std::string> RecoveryFixture::Ids(const simulator::List& list, int64_t from) {
  std::vector<std::string> ids;
  for (int64_t i = from; i < list.size; ++i) ids.push_back(ParticipantSid(list, i));
  return ids;
}

void RecoveryFixture::InjectFault(const std::string& part, int times,
                                  const simulator::Fault& fault) {
  auto left = std::make_shared<std::atomic<int>>(times);
  simulator_->InjectFaults([=](const simulator::Request& request) {
    if (!absl::StrContains(request.target, part) || left->fetch_sub(1) <= 0) {
      return simulator::Fault();
    }
    return fault;
  });
}

}  // namespace rollcall
