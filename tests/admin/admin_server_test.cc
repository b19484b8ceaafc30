#include "service/admin/admin_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/strip.h"

namespace rollcall::service {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

AdminServer::Pages SomePages() {
  return {{"/metrics", {[] {
             return AdminServer::Page{"text/plain", "rollcall_up 1\n"};
           }}},
          {"/open",
           {[] {
              return AdminServer::Page{"text/plain", "later\n", 503};
            },
            false}}};
}

std::unique_ptr<AdminServer> Serve(const std::string& listen = "127.0.0.1:0",
                                   std::optional<CurrentSecret> token = std::nullopt) {
  auto server = AdminServer::Start(listen, std::move(token), SomePages());
  EXPECT_TRUE(server.ok()) << server.status();
  return server.ok() ? *std::move(server) : nullptr;
}

TEST(AdminServerTest, ServesItsPagesOnly) {
  const auto server = Serve();
  httplib::Client client(server->url());
  const auto page = client.Get("/metrics");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_EQ(page->body, "rollcall_up 1\n");
  EXPECT_EQ(page->get_header_value("Content-Type"), "text/plain");
  EXPECT_EQ(page->get_header_value("Cache-Control"), "no-store");
  EXPECT_THAT(page->get_header_value("Content-Security-Policy"), StartsWith("default-src 'none'"));
  const auto head = client.Head("/metrics");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->body, "");
  EXPECT_EQ(client.Get("/")->status, 404);
  EXPECT_EQ(client.Get("/metrics/")->status, 404);
  EXPECT_EQ(client.Get("/%2e%2e/metrics")->status, 404);
  // The server closes a connection if it refuses a request before reading its body.
  for (const auto& answer : {httplib::Client(server->url()).Post("/metrics", "x", "text/plain"),
                             httplib::Client(server->url()).Delete("/metrics")}) {
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 405);
    EXPECT_EQ(answer->get_header_value("Allow"), "GET, HEAD");
  }
}

TEST(AdminServerTest, RequiresToken) {
  const auto server = Serve("127.0.0.1:0", CurrentSecret(Secret("correct horse")));
  httplib::Client client(server->url());
  const auto status = [&client](const std::string& authorization) {
    return client.Get("/metrics", {{"Authorization", authorization}})->status;
  };
  const auto refusal = client.Get("/metrics");
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 401);
  EXPECT_EQ(refusal->get_header_value("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(client.Get("/nothing")->status, 401);
  EXPECT_EQ(client.Get("/open")->status, 503);
  EXPECT_EQ(client.Get("/open")->body, "later\n");
  EXPECT_EQ(status("Bearer correct horse"), 200);
  EXPECT_EQ(status("bearer correct horse"), 200);
  for (const char* wrong : {"", "Bearer", "Bearer ", "Bearer correct hors", "Bearer correct horses",
                            "Bearer Correct horse", "Basic correct horse", "correct horse"}) {
    EXPECT_EQ(status(wrong), 401) << wrong;
  }
}

TEST(AdminServerTest, AcceptsNewTokenAfterReplacement) {
  CurrentSecret token(Secret("old"));
  const auto server = Serve("127.0.0.1:0", token);
  httplib::Client client(server->url());
  const auto status = [&client](const std::string& authorization) {
    return client.Get("/metrics", {{"Authorization", authorization}})->status;
  };
  EXPECT_EQ(status("Bearer old"), 200);
  token.Replace(Secret("new"));
  EXPECT_EQ(status("Bearer old"), 401);
  EXPECT_EQ(status("Bearer new"), 200);
}

TEST(AdminServerTest, ServesOnIpv6) {
  auto server = AdminServer::Start("[::1]:0", std::nullopt, SomePages());
  if (!server.ok()) GTEST_SKIP() << "no IPv6 here: " << server.status();
  EXPECT_THAT((*server)->url(), StartsWith("http://[::1]:"));
  const std::string port = (*server)->url().substr(std::string("http://[::1]:").size());
  const auto page = httplib::Client("::1", std::stoi(port)).Get("/metrics");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
}

TEST(AdminServerTest, ReportsWhyListeningFailed) {
  const auto server = Serve();
  const std::string taken(absl::StripPrefix(server->url(), "http://"));
  EXPECT_THAT(std::string(AdminServer::Start(taken, std::nullopt, SomePages()).status().message()),
              HasSubstr("cannot serve metrics on " + taken + ": Address already in use"));
  EXPECT_FALSE(AdminServer::Start("192.0.2.1:0", std::nullopt, SomePages()).ok());
  EXPECT_FALSE(AdminServer::Start("no.such.host.invalid:0", std::nullopt, SomePages()).ok());
}

// Connections from one address that send half a request each.
class HalfSentRequests {
 public:
  HalfSentRequests(const std::string& url, int count) {
    const size_t colon = url.rfind(':');
    for (int i = 0; i < count; ++i) {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(static_cast<uint16_t>(std::stoi(url.substr(colon + 1))));
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      sockaddr_in own{};
      own.sin_family = AF_INET;
      own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);  // 127.0.0.2
      const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      bind(descriptor, reinterpret_cast<sockaddr*>(&own), sizeof(own));
      connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address));
      send(descriptor, "GET /metrics HT", 15, MSG_NOSIGNAL);
      descriptors_.push_back(descriptor);
    }
  }
  ~HalfSentRequests() {
    for (const int descriptor : descriptors_) close(descriptor);
  }
  HalfSentRequests(const HalfSentRequests&) = delete;
  HalfSentRequests& operator=(const HalfSentRequests&) = delete;

  // Waits until the server has closed each.
  void WaitUntilClosed() {
    for (const int descriptor : descriptors_) {
      char byte = 0;
      while (recv(descriptor, &byte, 1, 0) > 0) {
      }
    }
  }

 private:
  std::vector<int> descriptors_;
};

TEST(AdminServerTest, ServesOthersDespiteHalfSentRequests) {
  const auto server = Serve();
  HalfSentRequests half_sent(server->url(), 200);
  const auto page = httplib::Client(server->url()).Get("/metrics");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  half_sent.WaitUntilClosed();
}

TEST(AdminServerTest, StopsDespiteHalfSentRequests) {
  auto server = Serve();
  HalfSentRequests half_sent(server->url(), 3);
  ASSERT_TRUE(httplib::Client(server->url()).Get("/metrics"));
  server.reset();
  half_sent.WaitUntilClosed();
}

}  // namespace
}  // namespace rollcall::service
