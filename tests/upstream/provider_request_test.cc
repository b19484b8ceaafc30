// The life of one request: permit, cancellation, and the deferred deletion of what its callbacks
// drop. The test plays the provider and controls the clock.
#include "service/upstream/provider_request.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "service/provider/participant_api.h"
#include "service/upstream/page_fetch.h"
#include "tests/upstream/upstream_fixture.h"

namespace rollcall::service {
namespace {

constexpr char kUrl[] = "https://insights.test/v1/Conferences/CF1/Participants";

class ProviderRequestTest : public UpstreamFixture, private ProviderRequest::Listener {
 protected:
  void Start() {
    ProviderRequest::Listener& listener = *this;
    request_ = std::make_unique<ProviderRequest>(
        upstream(), transport_, TwilioVoiceInsights(),
        ProviderRequest::Target{kUrl, ConcurrencyLimiter::Kind::kFirst}, "caller", trace_,
        listener);
    scheduler_.Run();
  }

  // As an owner does that needs the request no longer.
  void Drop() {
    request_->Cancel();
    scheduler_.DeleteLater(std::move(request_));
  }

  int in_flight() { return upstream().limiter.counts().in_flight; }

  const TraceContext trace_;
  std::unique_ptr<ProviderRequest> request_;
  std::function<bool(absl::string_view)> on_document_ = [](absl::string_view) { return true; };
  std::function<void()> on_end_ = [] {};
  int documents_ = 0;
  std::optional<absl::Status> end_;

 private:
  bool OnDocument(absl::string_view bytes) override {
    ++documents_;
    return on_document_(bytes);
  }
  void OnRequestEnd(const absl::Status& status) override {
    EXPECT_FALSE(end_) << "a request ends once";
    end_ = status;
    on_end_();
  }
};

TEST_F(ProviderRequestTest, CancelInOnDocumentEndsTheRequestAtOnce) {
  on_document_ = [this](absl::string_view) {
    Drop();
    EXPECT_FALSE(request(0).is_in_flight());
    EXPECT_EQ(in_flight(), 0);
    return true;
  };
  Start();
  EXPECT_EQ(in_flight(), 1);
  request(0).Respond(200, "{}");
  scheduler_.Run();
  EXPECT_EQ(documents_, 1);
  EXPECT_FALSE(end_);
}

TEST_F(ProviderRequestTest, CancelInOnDocumentAfterResumeEndsTheRequest) {
  on_document_ = [](absl::string_view) { return false; };
  Start();
  request(0).Respond(200, "{}");
  EXPECT_TRUE(request(0).is_paused());
  on_document_ = [this](absl::string_view) {
    Drop();
    return true;
  };
  request_->Resume();
  scheduler_.Run();
  EXPECT_EQ(documents_, 2);
  EXPECT_FALSE(end_);
  EXPECT_FALSE(scheduler_.has_timers());
}

TEST_F(ProviderRequestTest, CancelInOnRequestEndHasNoEffect) {
  on_end_ = [this] { Drop(); };
  Start();
  request(0).Respond(200, "{}");
  scheduler_.Run();
  EXPECT_EQ(end_, absl::OkStatus());
  EXPECT_EQ(in_flight(), 0);
}

TEST_F(ProviderRequestTest, CancelWhileWaitingForAPermitLeavesTheQueue) {
  Start();
  const std::unique_ptr<ProviderRequest> first = std::move(request_);
  // All permits are taken.
  std::vector<std::unique_ptr<ConcurrencyLimiter::Permit>> permits;
  while (upstream().limiter.counts().waiting == 0) {
    permits.push_back(upstream().limiter.Acquire(ConcurrencyLimiter::Kind::kNext, "other", 0,
                                                 scheduler_, [](const absl::Status&) {}));
  }
  Start();
  EXPECT_EQ(transport_.requests().size(), 1u);
  EXPECT_EQ(upstream().limiter.counts().waiting, 2);
  Drop();
  EXPECT_EQ(upstream().limiter.counts().waiting, 1);
  permits.clear();
  scheduler_.Run();
  EXPECT_EQ(transport_.requests().size(), 1u);
  EXPECT_FALSE(end_);
}

TEST_F(ProviderRequestTest, ReadsNoMoreOfAnErrorThanItsBeginning) {
  on_end_ = [this] { Drop(); };
  Start();
  request(0).Head(503);
  request(0).Body(std::string(1 << 20, 'x'));
  ASSERT_TRUE(end_);
  EXPECT_TRUE(absl::IsUnavailable(*end_)) << *end_;
  EXPECT_FALSE(request(0).is_in_flight());
  scheduler_.Run();
}

TEST_F(ProviderRequestTest, SendsARequestAgainInItsCallbackIfThePasswordWasReplaced) {
  Start();
  config_.upstreams[0].account.password.Replace(Secret("new"));
  // The error is ended by its size, inside OnBody(), and by its end.
  request(0).Head(401);
  request(0).Body(std::string(1 << 20, 'x'));
  ASSERT_EQ(transport_.requests().size(), 2u);
  EXPECT_FALSE(request(0).is_in_flight());
  EXPECT_FALSE(end_);
  config_.upstreams[0].account.password.Replace(Secret("newer"));
  Respond(1, 401, "{}");
  ASSERT_EQ(transport_.requests().size(), 3u);
  Respond(2, 200, "{}");
  EXPECT_EQ(end_, absl::OkStatus());
  EXPECT_EQ(request_->times_sent(), 3);
}

class PageFetchTest : public UpstreamFixture, private PageFetch::Listener {
 protected:
  void Start() {
    PageFetch::Listener& listener = *this;
    page_ = std::make_unique<PageFetch>(
        upstream(), transport_, TwilioVoiceInsights(),
        ProviderRequest::Target{kUrl, ConcurrencyLimiter::Kind::kPrefetch}, "caller", trace_,
        PageLimits(), listener);
    scheduler_.Run();
  }

  const TraceContext trace_;
  std::unique_ptr<PageFetch> page_;
  int changes_ = 0;

 private:
  void OnPageChange() override {
    ++changes_;
    page_->Cancel();
    scheduler_.DeleteLater(std::move(page_));
  }
};

TEST_F(PageFetchTest, IsDroppedInTheCallbackForItsBody) {
  Start();
  page_->Open();
  request(0).Respond(200, R"({"participants":[]})");
  EXPECT_EQ(changes_, 1);
  EXPECT_FALSE(request(0).is_in_flight());
  scheduler_.Run();
}

TEST_F(PageFetchTest, IsDroppedInTheCallbackForItsEnd) {
  Start();
  page_->Open();
  request(0).Respond(404, "{}");
  EXPECT_EQ(changes_, 1);
  scheduler_.Run();
}

TEST_F(PageFetchTest, IsDroppedInACallbackWithinOpen) {
  Start();
  request(0).Respond(200, R"({"participants":[]})");
  EXPECT_TRUE(request(0).is_paused());
  page_->Open();
  EXPECT_EQ(changes_, 1);
  EXPECT_FALSE(request(0).is_in_flight());
  scheduler_.Run();
}

TEST_F(PageFetchTest, IsDroppedWithinOpenAfterItHasEnded) {
  Start();
  request(0).Respond(404, "{}");
  EXPECT_EQ(changes_, 0);
  page_->Open();
  EXPECT_EQ(changes_, 1);
  scheduler_.Run();
}

}  // namespace
}  // namespace rollcall::service
