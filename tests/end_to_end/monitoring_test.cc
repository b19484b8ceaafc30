// Alerts, dashboard and documentation must match the code: compares them with the metrics of a
// running service, the error reasons, and the logged events.
#include <gmock/gmock.h>
#include <httplib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "rollcall/v1/error_reason.pb.h"
#include "tests/end_to_end/access.h"
#include "tests/paths.h"

namespace rollcall {
namespace {

using ::testing::Contains;
using ::testing::Ge;
using ::testing::SizeIs;
using Names = std::set<std::string>;

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string Repository(const std::string& path) { return ReadText(SourcePath(path)); }

// Every match of the first group of `pattern`.
Names Matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  Names found;
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) {
    found.insert((*it)[1]);
  }
  return found;
}

class MonitoringTest : public CallerAccessTest {
 protected:
  // The metrics of a service that has seen an unrecognized value.
  Names ExportedMetrics() {
    StartDaemon({{"metrics_listen", "127.0.0.1:0"}, {"tls", Tls()}});
    simulator_->AddPage(absl::StrCat("/v1/Conferences/", kConference, "/Participants"),
                        R"({"meta": {"next_page_url": null}, "participants": [{"new": 1}]})");
    EXPECT_TRUE(ListOver(*Connect(), ConferenceRequest(kConference)).status.ok());
    httplib::Client client(std::string(absl::StripSuffix(daemon_->ReadMetricsUrl(), "/metrics")));
    const auto answer = client.Get("/metrics");
    return answer ? Matches(answer->body, R"(# TYPE (\S+) )") : Names();
  }
};

// Removes the suffix of a histogram's series.
std::string Family(const std::string& series, const Names& families) {
  for (const char* suffix : {"_bucket", "_count", "_sum"}) {
    const std::string family(absl::StripSuffix(series, suffix));
    if (families.count(family) > 0) return family;
  }
  return series;
}

constexpr char kMetricName[] = R"(\b((?:rollcall|process)_[a-z_]+)\b)";

TEST_F(MonitoringTest, RulesAndDashboardUseExistingMetrics) {
  const Names exported = ExportedMetrics();
  ASSERT_THAT(exported, SizeIs(Ge(20u)));
  for (const char* file : {"rules.yaml", "rules_test.yaml", "dashboard.json"}) {
    const Names used =
        Matches(Repository(absl::StrCat("k8s/components/monitoring/", file)), kMetricName);
    EXPECT_THAT(used, SizeIs(Ge(8u))) << file;
    for (const std::string& series : used) {
      EXPECT_THAT(exported, Contains(Family(series, exported))) << file;
    }
  }
}

TEST_F(MonitoringTest, DocumentationListsExactlyTheMetrics) {
  const Names exported = ExportedMetrics();
  const std::string docs = Repository("docs/operations.md");
  EXPECT_EQ(Matches(docs, R"(\n\| `((?:rollcall|process)_[a-z_]+)` \|)"), exported);
  for (const std::string& series : Matches(docs, kMetricName)) {
    EXPECT_THAT(exported, Contains(Family(series, exported)));
  }
}

// The section under this heading, up to the next heading of its level.
std::string Section(const std::string& page, const std::string& heading) {
  const size_t begin = page.find(absl::StrCat("\n", heading, "\n"));
  EXPECT_NE(begin, std::string::npos) << heading;
  if (begin == std::string::npos) return "";
  const std::string level = heading.substr(0, heading.find(' ') + 1);
  return page.substr(begin, page.find("\n" + level, begin + 1) - begin);
}

TEST(DocumentationTest, ListsExactlyTheErrorReasons) {
  Names reasons;
  for (int number = 1; number <= v1::ErrorReason_MAX; ++number) {
    if (!v1::ErrorReason_IsValid(number)) continue;
    reasons.emplace(absl::StripPrefix(v1::ErrorReason_Name(static_cast<v1::ErrorReason>(number)),
                                      "ERROR_REASON_"));
  }
  Names documented;
  const std::string errors = Section(Repository("docs/operations.md"), "## Errors");
  // A row describes one reason, or several with the same meaning.
  for (const std::string& column : Matches(errors, R"(\n\| (`[^|]*`) \|)")) {
    documented.merge(Matches(column, "`([A-Z_]+)`"));
  }
  EXPECT_EQ(documented, reasons);
}

TEST(DocumentationTest, HasASectionForEveryAlert) {
  const Names alerts =
      Matches(Repository("k8s/components/monitoring/rules.yaml"), R"(alert: (\w+))");
  EXPECT_THAT(alerts, SizeIs(Ge(10u)));
  EXPECT_EQ(Matches(Repository("docs/operations.md"), R"(\n### (Rollcall\w+)\n)"), alerts);
  EXPECT_EQ(Matches(Repository("k8s/components/monitoring/rules_test.yaml"), R"(alertname: (\w+))"),
            alerts);
}

TEST(DocumentationTest, ListsExactlyTheLogEventsWithTheirLevels) {
  Names events = {"warn log_lines_lost"};  // written by LogWriter itself
  for (const auto& entry : std::filesystem::recursive_directory_iterator(SourcePath("service"))) {
    if (entry.path().extension() != ".cc") continue;
    const std::string code = ReadText(entry.path());
    for (const char* level : {"Info", "Warn", "Error"}) {
      for (const std::string& event :
           Matches(code, absl::StrCat(R"re(\.)re", level, R"re(\(\s*"([^"]+)")re"))) {
        events.insert(absl::StrCat(absl::AsciiStrToLower(level), " ", event));
      }
    }
  }
  Names documented;
  const std::string log = Section(Repository("docs/operations.md"), "## Log");
  for (const char* level : {"info", "warn", "error"}) {
    for (const std::string& event :
         Matches(log, absl::StrCat(R"(\n\| `([a-z_]+)` \| `)", level, R"(` \|)"))) {
      documented.insert(absl::StrCat(level, " ", event));
    }
  }
  EXPECT_EQ(documented, events);
}

}  // namespace
}  // namespace rollcall
