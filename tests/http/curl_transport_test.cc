// CurlTransport against a server that sends what a test wants. The end-to-end tests cover
// connections, TLS and HTTP/2.
#include "service/http/curl_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "service/error/error.h"
#include "tests/end_to_end/hostile_server.h"

namespace rollcall::service {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Peer = HostileServer::Peer;

// What a test does in a callback; by default it accepts everything.
struct Callbacks {
  std::function<void()> on_head = [] {};
  std::function<bool(absl::string_view bytes)> on_body = [](absl::string_view) { return true; };
  std::function<void()> on_done = [] {};
};

class Receiver final : public HttpTransport::Receiver {
 public:
  explicit Receiver(Callbacks callbacks = {}) : callbacks_(std::move(callbacks)) {}

  void OnHead(const HttpResponse& response) override {
    status_ = response.status();
    callbacks_.on_head();
  }
  bool OnBody(absl::string_view bytes) override {
    const bool taken = callbacks_.on_body(bytes);
    if (taken) body_.append(bytes.data(), bytes.size());
    return taken;
  }
  void OnDone(absl::Status status) override {
    callbacks_.on_done();
    end_.set_value(std::move(status));
  }

  absl::Status Wait() { return future_.get(); }
  bool has_ended() const {
    return future_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  // After Wait().
  int status() const { return status_; }
  const std::string& body() const { return body_; }

 private:
  const Callbacks callbacks_;
  int status_ = 0;
  std::string body_;
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

  // Runs `task` on the loop's thread, and waits for it.
  void RunOnLoop(const std::function<void()>& task) {
    std::promise<void> done;
    loop_->Post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  void SetUp() override {
    loop_ = std::make_unique<EventLoop>();
    RunOnLoop([this] { transport_ = std::make_unique<CurlTransport>(*loop_); });
  }
  void TearDown() override {
    RunOnLoop([this] {
      transfers_.clear();
      transport_.reset();
    });
  }

  // Sends a request, which is kept in transfers_.
  void Get(const HttpRequest& request, Receiver& receiver) {
    RunOnLoop([&] { transfers_.push_back(transport_->Get(request, receiver)); });
  }

  // On the loop's thread, as an owner does that needs its transfer no longer.
  void Drop(std::unique_ptr<HttpTransport::Transfer>& transfer) {
    transfer->Cancel();
    loop_->DeleteLater(std::move(transfer));
  }

  // How a GET ends to which a server responds with these bytes and the end of the connection.
  absl::Status StatusOf(const std::string& response) {
    const HostileServer server([&](const Peer& peer) { peer.Send(response); });
    Receiver receiver;
    Get(RequestTo(server.url()), receiver);
    return receiver.Wait();
  }

  const std::string text_;
  const Secret password_{"secret"};
  const std::optional<std::string> proxy_;
  const TraceContext trace_;
  std::unique_ptr<EventLoop> loop_;
  // Used on the loop's thread.
  std::unique_ptr<CurlTransport> transport_;
  std::vector<std::unique_ptr<HttpTransport::Transfer>> transfers_;
};

TEST_F(CurlTransportTest, FailsARequestWhoseOptionLibcurlRejects) {
  Receiver receiver;
  Get(RequestTo(LongUrl()), receiver);
  EXPECT_EQ(receiver.Wait().code(), absl::StatusCode::kInternal);
}

TEST_F(CurlTransportTest, DoesNotReportARejectedRequestThatWasCancelled) {
  Receiver cancelled;
  Receiver next;
  RunOnLoop([&] {
    transport_->Get(RequestTo(LongUrl()), cancelled).reset();
    transfers_.push_back(transport_->Get(RequestTo(LongUrl()), next));
  });
  EXPECT_FALSE(next.Wait().ok());  // the first would have been reported before
  EXPECT_FALSE(cancelled.has_ended());
}

constexpr char kResponse[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

// In which callback a transfer is cancelled and passed to deferred deletion.
enum class In { kHead, kBody, kResumedBody, kDone };

class CancelTest : public CurlTransportTest, public ::testing::WithParamInterface<In> {};

INSTANTIATE_TEST_SUITE_P(All, CancelTest,
                         ::testing::Values(In::kHead, In::kBody, In::kResumedBody, In::kDone));

TEST_P(CancelTest, InACallbackIsTheLastCallback) {
  const HostileServer server([](const Peer& peer) { peer.Send(kResponse); });
  std::promise<void> cancelled;
  std::string calls;
  const auto cancel_in = [&](In in) {
    if (GetParam() != in) return;
    Drop(transfers_[0]);
    cancelled.set_value();
  };
  bool resumed = false;
  Receiver receiver({.on_head =
                         [&] {
                           calls += "head ";
                           cancel_in(In::kHead);
                         },
                     .on_body =
                         [&](absl::string_view) {
                           calls += "body ";
                           if (GetParam() == In::kResumedBody && !resumed) {
                             loop_->Post([&] {
                               resumed = true;
                               transfers_[0]->Resume();
                             });
                             return false;
                           }
                           cancel_in(In::kBody);
                           cancel_in(In::kResumedBody);
                           return true;
                         },
                     .on_done =
                         [&] {
                           calls += "done ";
                           cancel_in(In::kDone);
                         }});
  Get(RequestTo(server.url()), receiver);
  cancelled.get_future().wait();
  // A later request is served, and by then all that the first could still cause has happened.
  Receiver next;
  Get(RequestTo(server.url()), next);
  EXPECT_EQ(next.Wait(), absl::OkStatus());
  EXPECT_EQ(next.body(), "{}");
  RunOnLoop([&] {
    const std::map<In, std::string> expected = {{In::kHead, "head "},
                                                {In::kBody, "head body "},
                                                {In::kResumedBody, "head body body "},
                                                {In::kDone, "head body done "}};
    EXPECT_EQ(calls, expected.at(GetParam()));
    EXPECT_EQ(transfers_[0], nullptr);
  });
}

TEST_F(CurlTransportTest, CancelsOneTransferInACallbackOfAnother) {
  std::promise<void> first_has_begun;
  std::promise<void> end;
  const HostileServer server([&, over = end.get_future().share()](const Peer& peer) {
    peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{");
    over.wait();
  });
  const HostileServer other([](const Peer& peer) { peer.Send(kResponse); });
  Receiver first({.on_body = [&](absl::string_view) {
    first_has_begun.set_value();
    return true;
  }});
  Get(RequestTo(server.url()), first);
  first_has_begun.get_future().wait();
  Receiver second({.on_body = [&](absl::string_view) {
    Drop(transfers_[0]);
    return true;
  }});
  Get(RequestTo(other.url()), second);
  EXPECT_EQ(second.Wait(), absl::OkStatus());
  EXPECT_FALSE(first.has_ended());
  end.set_value();
}

TEST_F(CurlTransportTest, RefusesTransferEncodingsOtherThanChunked) {
  const std::string body = "\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
  for (const char* const encoding : {"chunked", "Chunked", " chunked "}) {
    EXPECT_EQ(StatusOf(absl::StrCat("HTTP/1.1 200 OK\r\nTransfer-Encoding:", encoding, body)),
              absl::OkStatus())
        << encoding;
  }
  for (const char* const encoding :
       {"gzip", "gzip, chunked", "chunked, gzip", "deflate", "br", "identity", "x", ""}) {
    const absl::Status status =
        StatusOf(absl::StrCat("HTTP/1.1 200 OK\r\ntransfer-ENCODING: ", encoding, body));
    EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE) << encoding;
    EXPECT_THAT(std::string(status.message()), HasSubstr("transfer encoding")) << encoding;
  }
}

// Responses with a number of header lines in each place where a response can have some.
struct HeaderLines {
  const char* name;
  std::string (*response)(int lines);
};

std::string Repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

class HeaderLimitTest : public CurlTransportTest,
                        public ::testing::WithParamInterface<HeaderLines> {};

INSTANTIATE_TEST_SUITE_P(
    All, HeaderLimitTest,
    ::testing::Values(
        HeaderLines{"Headers",
                    [](int lines) {
                      return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
                                          Repeat("a:\r\n", lines - 3), "\r\n{}");
                    }},
        HeaderLines{"FoldedHeader",
                    [](int lines) {
                      return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: 2\r\na: b\r\n",
                                          Repeat(" c\r\n", lines - 4), "\r\n{}");
                    }},
        HeaderLines{"Cookies",
                    [](int lines) {
                      return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
                                          Repeat("Set-Cookie: a=b\r\n", lines - 3), "\r\n{}");
                    }},
        HeaderLines{"InformationalResponses",
                    [](int lines) {
                      return absl::StrCat(Repeat("HTTP/1.1 100 Continue\r\n\r\n", lines / 2 - 2),
                                          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
                                          Repeat("a:\r\n", 1 + lines % 2), "\r\n{}");
                    }},
        HeaderLines{"Trailers",
                    [](int lines) {
                      return absl::StrCat(
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
                          Repeat("a: b\r\n", lines - 3), "\r\n");
                    }}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

TEST_P(HeaderLimitTest, RefusesMoreThan256Lines) {
  EXPECT_EQ(StatusOf(GetParam().response(256)), absl::OkStatus());
  const absl::Status status = StatusOf(GetParam().response(257));
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE);
  EXPECT_THAT(std::string(status.message()), HasSubstr("256 header lines"));
}

TEST_F(CurlTransportTest, RefusesMoreThan64KiBOfHeaders) {
  const auto response = [](size_t bytes) {
    const std::string rest = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\na: \r\n\r\n";
    return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: 2\r\na: ",
                        std::string(bytes - rest.size(), 'b'), "\r\n\r\n{}");
  };
  EXPECT_EQ(StatusOf(response(size_t{64} << 10)), absl::OkStatus());
  const absl::Status status = StatusOf(response((size_t{64} << 10) + 1));
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE);
  EXPECT_THAT(std::string(status.message()), HasSubstr("65536 bytes"));
}

TEST_F(CurlTransportTest, DoesNotKeepCookies) {
  const HostileServer server([](const Peer& peer) {
    peer.Send("HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}");
  });
  for (int i = 0; i < 2; ++i) {
    Receiver receiver;
    Get(RequestTo(server.url()), receiver);
    EXPECT_EQ(receiver.Wait(), absl::OkStatus());
  }
  ASSERT_EQ(server.heads().size(), 2u);
  EXPECT_THAT(absl::AsciiStrToLower(server.heads()[1]), Not(HasSubstr("cookie")));
}

// A slow caller does not end its transfer.
TEST_F(CurlTransportTest, PausedTransferHasNoIdleTimeout) {
  const HostileServer server([](const Peer& peer) { peer.Send(kResponse); });
  HttpRequest request = RequestTo(server.url());
  request.idle_timeout = std::chrono::seconds(2);
  std::unique_ptr<Timer> timer;
  bool resumed = false;
  Receiver receiver({.on_body = [&](absl::string_view) {
    if (resumed) return true;
    timer = std::make_unique<Timer>(*loop_);
    timer->Start(3 * request.idle_timeout, [&] {
      resumed = true;
      transfers_[0]->Resume();
    });
    return false;
  }});
  Get(request, receiver);
  EXPECT_EQ(receiver.Wait(), absl::OkStatus());
  EXPECT_EQ(receiver.body(), "{}");
  RunOnLoop([&] { timer.reset(); });
}

}  // namespace
}  // namespace rollcall::service
