// Requests that libcurl does not accept. The end-to-end tests cover those that it sends.
#include "service/http/curl_transport.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>

namespace rollcall {
namespace {

class Receiver final : public HttpTransport::Receiver {
 public:
  void OnHead(const HttpResponse& /*response*/) override {
    ADD_FAILURE() << "there is no response";
  }
  bool OnBody(absl::string_view /*bytes*/) override { return true; }
  void OnDone(absl::Status status) override { end_.set_value(std::move(status)); }

  absl::Status Wait() { return future_.get(); }
  bool has_ended() const {
    return future_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

 private:
  std::promise<absl::Status> end_;
  std::future<absl::Status> future_ = end_.get_future();
};

class CurlTransportTest : public ::testing::Test {
 protected:
  // libcurl takes no text of more than 8 MB as an option.
  static std::string LongUrl() { return "http://127.0.0.1/" + std::string(9'000'000, 'a'); }

  HttpRequest RequestTo(std::string url) const {
    return {.url = std::move(url),
            .username = text_,
            .password = password_,
            .connect_timeout = std::chrono::seconds(60),
            .idle_timeout = std::chrono::seconds(60),
            .ca_file = text_,
            .require_tls_1_3 = false,
            .http2 = false,
            .proxy = proxy_,
            .trace = trace_};
  }

  const std::string text_;
  const Secret password_{"secret"};
  const std::optional<std::string> proxy_;
  const TraceContext trace_;
};

TEST_F(CurlTransportTest, FailsARequestWhoseOptionLibcurlRejects) {
  Receiver receiver;
  std::unique_ptr<CurlTransport> transport;
  std::unique_ptr<HttpTransport::Transfer> transfer;
  EventLoop loop;
  transport = std::make_unique<CurlTransport>(loop);
  loop.Post([&] { transfer = transport->Get(RequestTo(LongUrl()), receiver); });
  EXPECT_EQ(receiver.Wait().code(), absl::StatusCode::kInternal);
  loop.Post([&] {
    transfer.reset();
    transport.reset();
  });
}

TEST_F(CurlTransportTest, DoesNotReportARejectedRequestThatWasCancelled) {
  Receiver cancelled;
  Receiver next;
  std::unique_ptr<CurlTransport> transport;
  std::unique_ptr<HttpTransport::Transfer> transfer;
  EventLoop loop;
  transport = std::make_unique<CurlTransport>(loop);
  loop.Post([&] {
    transport->Get(RequestTo(LongUrl()), cancelled).reset();
    transfer = transport->Get(RequestTo(LongUrl()), next);
  });
  EXPECT_FALSE(next.Wait().ok());  // of which the first would have been told before
  EXPECT_FALSE(cancelled.has_ended());
  loop.Post([&] {
    transfer.reset();
    transport.reset();
  });
}

}  // namespace
}  // namespace rollcall
