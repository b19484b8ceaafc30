#include "service/admin/status_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"

namespace rollcall::service {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

StatusPage PageOf(const std::string& upstream) {
  StatusPage page;
  page.version = "1.2.3";
  page.now = absl::FromUnixSeconds(1000000000);
  page.started = page.now - absl::Hours(30);
  page.upstreams.push_back({upstream, "twilio", "api.twilio.com:443", {}});
  page.state.upstreams.push_back({upstream, 3, 7, 2, 10, false});
  return page;
}

TEST(StatusPageTest, ShowsStateAndConfiguration) {
  StatusPage page = PageOf("main");
  page.configuration = {{"listen", "0.0.0.0:50051"}};
  page.state.calls_of_loops = {4, 5};
  page.resident_bytes = int64_t{30} << 20;
  EXPECT_THAT(
      ToHtml(page),
      AllOf(HasSubstr("Rollcall 1.2.3"), HasSubstr("Up for 30h, since 2001-09-07 19:46:40 UTC"),
            HasSubstr("<td>main</td><td>twilio</td><td>api.twilio.com:443</td><td>up</td>"
                      "<td>7</td><td>10</td><td>3</td><td>2</td><td>none</td>"),
            HasSubstr("<td>calls of event loop 2</td><td>5</td>"), HasSubstr("30 MiB"),
            HasSubstr("<td>listen</td><td>0.0.0.0:50051</td>"), Not(HasSubstr("class=\"bad\""))));
}

TEST(StatusPageTest, HighlightsProblems) {
  StatusPage page = PageOf("main");
  page.state.draining = true;
  page.state.upstreams[0].circuit_open = true;
  UpstreamHealth& health = page.upstreams[0].health;
  health.down_since = health.failed_at = page.now;
  health.credentials_rejected = true;
  health.failure = {absl::StatusCode::kUnavailable, v1::ERROR_REASON_UPSTREAM_UNAVAILABLE, 503,
                    Identifier("20500"), Identifier()};
  EXPECT_THAT(
      ToHtml(page),
      AllOf(HasSubstr("no new calls are accepted"), HasSubstr("<tr class=\"bad\"><td>main</td>"),
            HasSubstr("<td>down since 2001-09-09 01:46:40 UTC, rejects the credentials</td>"),
            HasSubstr("2001-09-09 01:46:40 UTC: UPSTREAM_UNAVAILABLE, HTTP 503, code 20500")));
}

TEST(StatusPageTest, EscapesTexts) {
  const std::string nasty = "<script>alert('\"&')</script>";
  StatusPage page = PageOf(nasty);
  page.version = nasty;
  page.upstreams[0].origin = nasty;
  page.configuration = {{nasty, nasty}};
  const std::string html = ToHtml(page);
  EXPECT_THAT(html, AllOf(Not(HasSubstr("<script")), Not(HasSubstr("alert('"))));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(&#39;&quot;&amp;&#39;)&lt;/script&gt;"));
}

TEST(StatusPageTest, ShowsOldestCallsIfThereAreTooMany) {
  StatusPage page = PageOf("main");
  const auto now = std::chrono::steady_clock::now();
  for (int i = 0; i < 150; ++i) {
    RunningCall call;
    call.request_id = Identifier(absl::StrCat("id-", i, "."));
    call.began = now - std::chrono::hours(i);
    page.state.calls.push_back(call);
  }
  EXPECT_THAT(ToHtml(page),
              AllOf(HasSubstr("Running calls: 150, the oldest 100 of them"),
                    HasSubstr("<td>149h</td>"), HasSubstr("id-50."), Not(HasSubstr("id-49."))));
}

}  // namespace
}  // namespace rollcall::service
