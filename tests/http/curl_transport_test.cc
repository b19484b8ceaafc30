// CurlTransport against a server that sends what a test wants. The end-to-end tests cover
// connections, TLS and HTTP/2.
#include "service/http/curl_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <future>
#include <iterator>
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
#include "tests/http/slow_dns.h"

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

// Requests while DNS is slow. libcurl has a thread and two sockets for each lookup.
class LookupTest : public CurlTransportTest {
 protected:
  static constexpr int kMaxLookups = 4;  // per host

  // The number of entries of a folder.
  static int Count(const char* folder) {
    return static_cast<int>(std::distance(std::filesystem::directory_iterator(folder), {}));
  }

  static std::string SlowUrl(int port) { return absl::StrCat("http://slow.test:", port, "/"); }

  // Waits until libcurl has begun all transfers: its timers for that are due before this one.
  void LetTransfersBegin() {
    std::promise<void> begun;
    loop_->Post([&] { loop_->RunAfter(std::chrono::milliseconds(5), [&] { begun.set_value(); }); });
    begun.get_future().wait();
  }

  // Sends requests whose lookups do not return.
  void GetMany(const HttpRequest& request, std::vector<Receiver>& receivers) {
    for (Receiver& receiver : receivers) Get(request, receiver);
    LetTransfersBegin();
  }

  void CancelAll() {
    RunOnLoop([this] {
      for (auto& transfer : transfers_) {
        if (transfer != nullptr) Drop(transfer);
      }
      transfers_.clear();
    });
  }

  SlowDns dns_;
};

TEST_F(LookupTest, CancelledRequestsLeaveAFewLookups) {
  const int threads = Count("/proc/self/task");
  const int descriptors = Count("/proc/self/fd");
  for (int i = 0; i < 200; ++i) {
    Receiver receiver;
    Get(RequestTo(SlowUrl(1)), receiver);
    LetTransfersBegin();
    CancelAll();
    EXPECT_FALSE(receiver.has_ended());
  }
  EXPECT_TRUE(dns_.WaitUntilBegun(kMaxLookups));
  EXPECT_EQ(dns_.begun(), kMaxLookups);
  EXPECT_LE(Count("/proc/self/task"), threads + kMaxLookups);
  EXPECT_LE(Count("/proc/self/fd"), descriptors + 2 * kMaxLookups);
}

TEST_F(LookupTest, RequestThatIsCancelledAtOnceIsNotLookedUp) {
  Receiver receiver;
  RunOnLoop([&] { transport_->Get(RequestTo(SlowUrl(1)), receiver).reset(); });
  LetTransfersBegin();
  // Looked up now, had the first taken a permit for good.
  std::vector<Receiver> others(kMaxLookups);
  GetMany(RequestTo(SlowUrl(1)), others);
  EXPECT_TRUE(dns_.WaitUntilBegun(kMaxLookups));
  EXPECT_EQ(dns_.begun(), kMaxLookups);
  CancelAll();
}

TEST_F(LookupTest, AnotherHostIsServedMeanwhile) {
  const HostileServer server([](const Peer& peer) { peer.Send(kResponse); });
  std::vector<Receiver> slow(10);
  GetMany(RequestTo(SlowUrl(server.port())), slow);
  EXPECT_TRUE(dns_.WaitUntilBegun(kMaxLookups));
  for (const char* const host : {"fast.test", "127.0.0.1"}) {
    for (int i = 0; i < 2 * kMaxLookups; ++i) {
      Receiver receiver;
      Get(RequestTo(absl::StrCat("http://", host, ":", server.port(), "/")), receiver);
      EXPECT_EQ(receiver.Wait(), absl::OkStatus());
    }
  }
  for (const Receiver& receiver : slow) EXPECT_FALSE(receiver.has_ended());
  CancelAll();
}

TEST_F(LookupTest, WaitingRequestsAreSentAfterOneLookupSucceeds) {
  const HostileServer server([](const Peer& peer) { peer.Send(kResponse); });
  std::vector<Receiver> receivers(20);
  GetMany(RequestTo(SlowUrl(server.port())), receivers);
  EXPECT_TRUE(dns_.WaitUntilBegun(kMaxLookups));
  dns_.End(SlowDns::Result::kLoopback);
  for (Receiver& receiver : receivers) {
    EXPECT_EQ(receiver.Wait(), absl::OkStatus());
    EXPECT_EQ(receiver.body(), "{}");
  }
  EXPECT_EQ(server.heads().size(), receivers.size());
  EXPECT_EQ(dns_.begun(), kMaxLookups);
}

TEST_F(LookupTest, WaitingRequestsAreLookedUpAfterLookupsFail) {
  std::vector<Receiver> receivers(20);
  GetMany(RequestTo(SlowUrl(1)), receivers);
  EXPECT_TRUE(dns_.WaitUntilBegun(kMaxLookups));
  dns_.End(SlowDns::Result::kUnknownHost);
  for (Receiver& receiver : receivers) {
    const absl::Status status = receiver.Wait();
    EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_UPSTREAM_UNREACHABLE);
    EXPECT_THAT(std::string(status.message()), HasSubstr("host name cannot be resolved"));
  }
  EXPECT_EQ(dns_.begun(), 20);
  EXPECT_EQ(dns_.most(), kMaxLookups);
}

TEST_F(LookupTest, RequestsTimeOutButTheirLookupsStillCount) {
  const HostileServer server([](const Peer& peer) { peer.Send(kResponse); });
  HttpRequest request = RequestTo(SlowUrl(server.port()));
  request.connect_timeout = std::chrono::milliseconds(100);
  for (int i = 0; i < 3; ++i) {
    std::vector<Receiver> receivers(2 * kMaxLookups);
    GetMany(request, receivers);
    for (Receiver& receiver : receivers) {
      const absl::Status status = receiver.Wait();
      EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_UPSTREAM_TIMEOUT);
      EXPECT_THAT(std::string(status.message()), HasSubstr("connect_timeout_seconds"));
    }
  }
  EXPECT_TRUE(dns_.WaitUntilBegun(kMaxLookups));
  EXPECT_EQ(dns_.begun(), kMaxLookups);
  Receiver last;
  Get(RequestTo(SlowUrl(server.port())), last);
  dns_.End(SlowDns::Result::kLoopback);
  EXPECT_EQ(last.Wait(), absl::OkStatus());
  EXPECT_EQ(server.connections(), 1u);  // the others were not sent
}

TEST_F(LookupTest, CancelledRequestIsNotSentAfterItsLookup) {
  const HostileServer server([](const Peer& peer) { peer.Send(kResponse); });
  std::vector<Receiver> cancelled(2 * kMaxLookups);
  GetMany(RequestTo(SlowUrl(server.port())), cancelled);
  EXPECT_TRUE(dns_.WaitUntilBegun(kMaxLookups));
  CancelAll();
  Receiver waiting;
  Get(RequestTo(SlowUrl(server.port())), waiting);
  LetTransfersBegin();
  dns_.End(SlowDns::Result::kLoopback);
  EXPECT_EQ(waiting.Wait(), absl::OkStatus());
  EXPECT_EQ(server.connections(), 1u);
  for (const Receiver& receiver : cancelled) EXPECT_FALSE(receiver.has_ended());
}

TEST_F(LookupTest, IsCancelledInACallbackOfAnother) {
  const HostileServer server([](const Peer& peer) { peer.Send(kResponse); });
  Receiver slow;
  Get(RequestTo(SlowUrl(server.port())), slow);
  LetTransfersBegin();
  Receiver other({.on_body = [&](absl::string_view) {
    Drop(transfers_[0]);
    return true;
  }});
  Get(RequestTo(server.url()), other);
  EXPECT_EQ(other.Wait(), absl::OkStatus());
  Receiver next;
  Get(RequestTo(SlowUrl(server.port())), next);
  LetTransfersBegin();
  EXPECT_TRUE(dns_.WaitUntilBegun(2));
  dns_.End(SlowDns::Result::kLoopback);
  EXPECT_EQ(next.Wait(), absl::OkStatus());
  EXPECT_FALSE(slow.has_ended());
}

// When a receiver learns that its lookup has failed, the permit belongs to the next request. Each
// round would lose one permit if cancelling that request did not pass it on.
TEST_F(LookupTest, CancelledRequestPassesItsPermitOn) {
  for (int round = 1; round <= kMaxLookups; ++round) {
    dns_.Hold();
    bool cancelled = false;
    const Callbacks cancel_next = {.on_done = [&] {
      if (!std::exchange(cancelled, true)) Drop(transfers_[kMaxLookups]);
    }};
    std::vector<std::unique_ptr<Receiver>> receivers;
    for (int i = 0; i < kMaxLookups + 2; ++i) {
      receivers.push_back(std::make_unique<Receiver>(i < kMaxLookups ? cancel_next : Callbacks{}));
      Get(RequestTo(SlowUrl(1)), *receivers.back());
    }
    LetTransfersBegin();
    EXPECT_TRUE(dns_.WaitUntilBegun(round * (kMaxLookups + 1) - 1));
    dns_.End(SlowDns::Result::kUnknownHost);
    for (int i = 0; i < kMaxLookups + 2; ++i) {
      if (i == kMaxLookups) continue;
      EXPECT_THAT(std::string(receivers[i]->Wait().message()), HasSubstr("cannot be resolved"));
    }
    EXPECT_FALSE(receivers[kMaxLookups]->has_ended());
    EXPECT_EQ(dns_.begun(), round * (kMaxLookups + 1));
    CancelAll();
  }
}

TEST_F(LookupTest, TransportIsDestroyedMeanwhile) {
  std::vector<Receiver> cancelled(2 * kMaxLookups);
  GetMany(RequestTo(SlowUrl(1)), cancelled);
  EXPECT_TRUE(dns_.WaitUntilBegun(kMaxLookups));
  RunOnLoop([this] {
    transfers_.clear();
    transport_.reset();
  });
  EXPECT_EQ(dns_.running(), kMaxLookups);
}

// Over HTTP/2, requests wait for the connection that the first one opens.
TEST_F(LookupTest, RequestsThatShareAConnectionEnd) {
  HttpRequest request = RequestTo("https://slow.test:1/");
  request.http2 = true;
  std::vector<Receiver> receivers(3 * kMaxLookups);
  GetMany(request, receivers);
  RunOnLoop([this] { Drop(transfers_[0]); });
  EXPECT_TRUE(dns_.WaitUntilBegun(1));
  EXPECT_EQ(dns_.begun(), 1);
  dns_.End(SlowDns::Result::kUnknownHost);
  for (size_t i = 1; i < receivers.size(); ++i) {
    EXPECT_EQ(ReasonOf(receivers[i].Wait()), v1::ERROR_REASON_UPSTREAM_UNREACHABLE);
  }
  EXPECT_LE(dns_.most(), kMaxLookups);
  EXPECT_FALSE(receivers[0].has_ended());
}

TEST_F(LookupTest, HostsBehindAProxyShareItsLookups) {
  const std::optional<std::string> proxy = "http://slow.test:1";
  std::vector<Receiver> receivers(3 * kMaxLookups);
  for (size_t i = 0; i < receivers.size(); ++i) {
    const HttpRequest request = RequestTo(absl::StrCat("https://", i, ".test/"));
    Get({.url = request.url,
         .username = text_,
         .password = password_,
         .connect_timeout = request.connect_timeout,
         .idle_timeout = request.idle_timeout,
         .ca_file = text_,
         .require_tls_1_3 = false,
         .http2 = false,
         .proxy = proxy,
         .trace = trace_},
        receivers[i]);
  }
  LetTransfersBegin();
  EXPECT_TRUE(dns_.WaitUntilBegun(kMaxLookups));
  EXPECT_EQ(dns_.begun(), kMaxLookups);
  dns_.End(SlowDns::Result::kUnknownHost);
  for (Receiver& receiver : receivers) {
    EXPECT_THAT(std::string(receiver.Wait().message()), HasSubstr("proxy's host name"));
  }
}

}  // namespace
}  // namespace rollcall::service
