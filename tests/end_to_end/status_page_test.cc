// The status page after real calls, in a browser that runs no scripts.
#include <gmock/gmock.h>
#include <httplib.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/end_to_end/end_to_end.h"

namespace rollcall {
namespace {

using simulator::Request;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Rows = std::vector<std::vector<std::string>>;

// The page as Chromium's DOM, once it is loaded.
std::string DumpDom(const std::string& url) {
  std::string folder =
      (std::filesystem::temp_directory_path() / "rollcall-chromium-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return "";
  const std::string command = absl::StrCat(
      "chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage "
      "--user-data-dir=",
      folder, " --dump-dom '", url, "' 2>/dev/null");
  std::string dom;
  std::FILE* const pipe = popen(command.c_str(), "r");
  std::array<char, 4096> bytes{};
  while (const size_t count = std::fread(bytes.data(), 1, bytes.size(), pipe)) {
    dom.append(bytes.data(), count);
  }
  pclose(pipe);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return dom;
}

// The texts between the two tags; these elements must not be nested.
std::vector<std::string> Between(const std::string& text, const std::string& begin,
                                 const std::string& end) {
  std::vector<std::string> found;
  for (size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
    at = text.find('>', at) + 1;
    found.push_back(text.substr(at, text.find(end, at) - at));
  }
  return found;
}

// The rows of the table with this id, without its heading.
Rows RowsOf(const std::string& dom, const std::string& id) {
  Rows rows;
  const auto tables = Between(dom, absl::StrCat("<table id=\"", id, "\""), "</table>");
  EXPECT_THAT(tables, SizeIs(1)) << id;
  if (tables.empty()) return rows;
  for (const std::string& row :
       Between(tables[0].substr(tables[0].find("<tbody")), "<tr", "</tr>")) {
    rows.push_back(Between(row, "<td", "</td>"));
  }
  return rows;
}

class StatusPageEndToEndTest : public EndToEndTest {
 protected:
  void SetUp() override {
    EndToEndTest::SetUp();
    StartDaemon({{"metrics_listen", "127.0.0.1:0"}});
    url_ = std::string(absl::StripSuffix(daemon_->ReadMetricsUrl(), "metrics"));
  }

  std::string url_;
};

TEST_F(StatusPageEndToEndTest, ShowsCallsErrorsAndUpstreams) {
  ASSERT_TRUE(List(ConferenceRequest(5)).status.ok());
  EXPECT_EQ(Reason(List(ConferenceRequest("CF" + std::string(32, 'b'))).status),
            "UPSTREAM_NOT_FOUND");
  simulator_->InjectFaults([](const Request&) { return simulator::Respond(401); });
  EXPECT_EQ(Reason(List(RequestFor({simulator::Api::kSignalWire, 5})).status),
            "UPSTREAM_CREDENTIALS_REJECTED");
  simulator_->InjectFaults([](const Request&) { return simulator::HoldAfter(20000); });
  grpc::ClientContext context;
  const auto reader = stub().ListParticipants(&context, ConferenceRequest(500));
  v1::ListParticipantsResponse response;
  ASSERT_TRUE(reader->Read(&response));

  const std::string dom = DumpDom(url_);
  ASSERT_THAT(dom, HasSubstr("<h1>Rollcall ")) << "is chromium installed?";
  EXPECT_THAT(dom, Not(HasSubstr("<script")));

  const Rows upstreams = RowsOf(dom, "upstreams");
  ASSERT_THAT(upstreams, SizeIs(2));
  EXPECT_EQ(upstreams[0][0], "twilio");
  EXPECT_EQ(upstreams[0][1], "twilio");
  EXPECT_EQ(upstreams[0][3], "up");
  EXPECT_EQ(upstreams[0][4], "1");
  EXPECT_EQ(upstreams[1][0], "signalwire");
  EXPECT_EQ(upstreams[1][3], "rejects the credentials");
  EXPECT_THAT(upstreams[1][8], HasSubstr(": UPSTREAM_CREDENTIALS_REJECTED, HTTP 401"));

  const Rows calls = RowsOf(dom, "calls");
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_EQ(calls[0][0], "ListParticipants");
  EXPECT_EQ(calls[0][1], "ipv4:127.0.0.1");
  EXPECT_EQ(calls[0][2], "twilio");
  EXPECT_EQ(calls[0][3], "conference_participant_summaries");
  EXPECT_GE(std::stoi(calls[0][4]), 1);

  const Rows errors = RowsOf(dom, "errors");
  ASSERT_THAT(errors, SizeIs(2));
  EXPECT_EQ(errors[0][3], "signalwire");
  EXPECT_EQ(errors[0][4], "INTERNAL");
  EXPECT_EQ(errors[0][5], "UPSTREAM_CREDENTIALS_REJECTED, HTTP 401");
  EXPECT_EQ(errors[1][5], "UPSTREAM_NOT_FOUND, HTTP 404, code 20404");

  EXPECT_THAT(RowsOf(dom, "configuration"), Contains(ElementsAre("retry.max_attempts", "1")));
  EXPECT_THAT(RowsOf(dom, "process"), Contains(Contains(HasSubstr("MiB"))));
  simulator_->Release();
}

TEST_F(StatusPageEndToEndTest, IsServedBeforeAnyCall) {
  const auto page = httplib::Client(std::string(absl::StripSuffix(url_, "/"))).Get("/");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_EQ(page->get_header_value("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(page->get_header_value("Cache-Control"), "no-store");
  EXPECT_THAT(RowsOf(page->body, "calls"), IsEmpty());
  EXPECT_THAT(RowsOf(page->body, "errors"), IsEmpty());
  EXPECT_THAT(RowsOf(page->body, "upstreams"), SizeIs(2));
}

}  // namespace
}  // namespace rollcall
