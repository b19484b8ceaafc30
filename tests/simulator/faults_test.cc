#include "tests/simulator/faults.h"

#include <gmock/gmock.h>
#include <httplib.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rollcall::simulator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kPage[] = R"({"meta": {"next_page_url": null, "key": "participants"},
  "participants": [{"label": "a]}\""}, {"label":null,"b":{"c":[1]}}]})";

class FaultsTest : public ::testing::Test {
 protected:
  httplib::Result Get(const Fault& fault) {
    simulator_->InjectFaults([fault](const Request&) { return fault; });
    simulator_->AddPage("/page", kPage);
    httplib::Client client(simulator_->base_url());
    return client.Get("/page");
  }

  const std::unique_ptr<Simulator> simulator_ = *Simulator::Start();
};

TEST_F(FaultsTest, DocumentsThatAreNoPagesHaveStatus200) {
  EXPECT_EQ(Get(EmptyDocument())->status, 200);
  EXPECT_EQ(Get(EmptyDocument())->body, "");
  EXPECT_THAT(Get(HtmlDocument())->body, HasSubstr("<html>"));
  const httplib::Result cut = Get(CutJson(40));
  ASSERT_TRUE(cut) << to_string(cut.error());
  EXPECT_EQ(cut->body, std::string(kPage).substr(0, 40));
  EXPECT_THAT(Get(CutJson(100000))->body, SizeIs(sizeof kPage - 2));
}

TEST_F(FaultsTest, RetryAfterIsRelativeToTheResponsesDate) {
  std::set<std::string> values;
  for (int form = 0; form < kRetryAfterForms; ++form) {
    const httplib::Result response =
        Get(RateLimited(static_cast<RetryAfter>(form), absl::Seconds(90)));
    EXPECT_EQ(response->status, 429);
    values.insert(response->get_header_value("Retry-After"));
    if (form >= 1 && form <= 3) {
      EXPECT_EQ(response->get_header_value("Date"), "Tue, 14 Nov 2023 22:13:20 GMT");
    }
  }
  EXPECT_THAT(values, ElementsAre("90", "99999999999999999999", "Tue Nov 14 22:14:50 2023",
                                  "Tue, 14 Nov 2023 22:14:50 GMT",
                                  "Tuesday, 14-Nov-23 22:14:50 GMT", "soon, +1e3"));
}

TEST_F(FaultsTest, SendsInterimResponsesAndHeaderLines) {
  // Newer versions of httplib refuse more than 100 headers.
  const httplib::Result many = Get(WithHeaderLines(90));
  ASSERT_TRUE(many) << to_string(many.error());
  EXPECT_THAT(many->headers.size(), ::testing::Ge(90u));
  // httplib skips one interim response.
  const httplib::Result later = Get(WithInterimResponses(1));
  ASSERT_TRUE(later) << to_string(later.error());
  EXPECT_EQ(later->status, 200);
}

TEST_F(FaultsTest, BreaksAfterRecords) {
  const std::string page = kPage;
  const std::vector<size_t> ends = RecordEnds(page);
  ASSERT_THAT(ends, SizeIs(2));
  EXPECT_EQ(page.substr(ends[0] - 8, 8), R"("a]}\""})");
  EXPECT_EQ(page.substr(ends[1]), "]}");
  EXPECT_FALSE(Get(BreakAfterRecords(1)));
  EXPECT_TRUE(Get(BreakAfterRecords(3)));
}

TEST_F(FaultsTest, EditsRecords) {
  const std::string page = EditRecords(kPage, [](std::vector<std::string>& records) {
    ASSERT_THAT(records, SizeIs(2));
    std::swap(records[0], records[1]);
    records.push_back(R"({"label":"c"})");
  });
  const nlohmann::json parsed = nlohmann::json::parse(page);
  EXPECT_EQ(parsed["participants"][0]["b"]["c"][0], 1);
  EXPECT_EQ(parsed["participants"][1]["label"], "a]}\"");
  EXPECT_EQ(parsed["participants"][2]["label"], "c");
  EXPECT_EQ(EditRecords("<html>", [](auto& records) { records.clear(); }), "<html>");
  EXPECT_EQ(
      EditRecords(R"({"participants":[]})", [](auto& records) { records.push_back("{\"a\":1}"); }),
      R"({"participants":[{"a":1}]})");
}

TEST_F(FaultsTest, OddRecordsKeepTheirBrackets) {
  for (int oddity = 0; oddity < kOddities; ++oddity) {
    const std::string odd = MakeOdd(static_cast<Oddity>(oddity), R"({"label":"a\"b","x":[1]})");
    const std::string page = EditRecords(kPage, [&](auto& records) { records[0] = odd; });
    EXPECT_EQ(RecordEnds(page).size(), 2u) << odd;
    EXPECT_TRUE(absl::StrContains(page, odd));
  }
  EXPECT_EQ(MakeOdd(Oddity::kNullField, R"({"label": "a\"b","x":1})"), R"({"label": null,"x":1})");
  EXPECT_EQ(MakeOdd(Oddity::kNullField, R"({"label":17})"), R"({"label":null})");
  EXPECT_EQ(MakeOdd(Oddity::kNullField, R"({"x":1})"), R"({"label":null,"x":1})");
  EXPECT_EQ(nlohmann::json::parse(MakeOdd(Oddity::kManyUnknownMembers, R"({"x":1})")).size(), 301u);
  EXPECT_THAT(MakeEnvelopeOdd(kPage), HasSubstr(R"("meta": {"odd":1e999,"next_page_url")"));
}

}  // namespace
}  // namespace rollcall::simulator
