// Providers behind a proxy that the configuration or the environment names.
#include <gmock/gmock.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/end_to_end/certificate.h"
#include "tests/end_to_end/connect_proxy.h"
#include "tests/end_to_end/end_to_end.h"
#include "tests/end_to_end/nginx.h"

namespace rollcall {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// A name that only the proxy can resolve.
constexpr char kFarAway[] = "provider.invalid";

class ProxyTest : public EndToEndTest {
 protected:
  ProxyTest() { ForgetEnvironment(); }
  ~ProxyTest() override { ForgetEnvironment(); }

  static void ForgetEnvironment() {
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                             "no_proxy", "NO_PROXY"}) {
      unsetenv(name);
    }
  }

  // Starts rollcalld for a provider of this name, with these additional settings.
  void StartFor(const std::string& host, nlohmann::json settings) {
    const Certificate authority = Certificate::Authority();
    nginx_ = std::make_unique<Nginx>(simulator_->base_url(), authority.Sign(host), true);
    const std::string url = nginx_->url();
    target_ = absl::StrCat(host, url.substr(url.rfind(':')));
    nlohmann::json upstreams = Configuration()["upstreams"];
    upstreams.erase(1);
    settings["ca_file"] = nginx_->KeepFile("authority.pem", authority.certificate());
    settings["insights_base_url"] = settings["api_base_url"] = absl::StrCat("https://", target_);
    upstreams[0].merge_patch(settings);
    StartDaemon({{"upstreams", upstreams}});
  }

  ConnectProxy proxy_;
  std::unique_ptr<Nginx> nginx_;
  std::string target_;  // host and port
};

TEST_F(ProxyTest, ConfiguredProxyOverridesEnvironment) {
  setenv("NO_PROXY", "*", 1);
  setenv("HTTPS_PROXY", "http://nowhere.invalid:1", 1);
  for (const bool http2 : {false, true}) {
    const size_t before = proxy_.heads().size();
    StartFor(kFarAway, {{"proxy", proxy_.url()}, {"http2", http2}});
    const Listing listing = List(ConferenceRequest(2500));
    EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
    EXPECT_EQ(listing.participants.size(), 2500u);
    ASSERT_GT(proxy_.heads().size(), before);
  }
  // The proxy sees the target's name, and no credentials or paths.
  for (const std::string& head : proxy_.heads()) {
    EXPECT_THAT(head, StartsWith(absl::StrCat("CONNECT ", kFarAway, ":")));
    EXPECT_THAT(head, Not(HasSubstr("uthorization")));
    EXPECT_THAT(head, Not(HasSubstr("traceparent")));
  }
}

TEST_F(ProxyTest, EnvironmentIsUsedWithoutConfiguration) {
  setenv("HTTPS_PROXY", proxy_.url().c_str(), 1);
  StartFor(kFarAway, {});
  EXPECT_TRUE(List(ConferenceRequest(10)).status.ok());
  EXPECT_THAT(proxy_.heads().at(0), StartsWith(absl::StrCat("CONNECT ", target_, " ")));

  const size_t before = proxy_.heads().size();
  setenv("NO_PROXY", "elsewhere.invalid,provider.invalid", 1);
  StartFor(kFarAway, {});
  const grpc::Status status = List(ConferenceRequest(10)).status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("host name cannot be resolved"));
  EXPECT_EQ(proxy_.heads().size(), before);
}

TEST_F(ProxyTest, ProxyNoneOverridesEnvironment) {
  setenv("HTTPS_PROXY", proxy_.url().c_str(), 1);
  StartFor("localhost", {{"proxy", "none"}});
  EXPECT_TRUE(List(ConferenceRequest(10)).status.ok());
  EXPECT_THAT(proxy_.heads(), IsEmpty());
}

TEST_F(ProxyTest, ProxyRefusalIsReportedAsTheProxys) {
  StartFor(kFarAway, {{"proxy", proxy_.url()}});
  for (const char* refusal : {"403 Forbidden", "407 Proxy Authentication Required"}) {
    proxy_.Refuse(refusal);
    const grpc::Status status = List(ConferenceRequest(10)).status;
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_THAT(status.error_message(),
                HasSubstr(absl::StrCat("the proxy refused to connect to the provider (HTTP ",
                                       std::string(refusal, 3), ")")));
  }
}

TEST_F(ProxyTest, UnresolvableProxyIsReported) {
  StartFor(kFarAway, {{"proxy", "http://nowhere.invalid:1"}});
  EXPECT_THAT(List(ConferenceRequest(10)).status.error_message(),
              HasSubstr("the proxy's host name cannot be resolved"));
}

}  // namespace
}  // namespace rollcall
