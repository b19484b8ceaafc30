#include "service/metrics/participant_monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <sstream>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/log/test_log.h"

namespace rollcall::service {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Value = v1::UnrecognizedValue;

v1::Participant Plain() {
  v1::Participant participant;
  participant.mutable_live_participant();
  return participant;
}

v1::Participant With(const std::string& path, Value::Kind kind = Value::KIND_UNKNOWN_FIELD) {
  v1::Participant participant = Plain();
  auto& value = *participant.add_unrecognized();
  value.set_path(path);
  value.set_json("\"Ada Lovelace\"");
  value.set_kind(kind);
  return participant;
}

class ParticipantMonitorTest : public ::testing::Test {
 protected:
  // The series of a name that are not 0, as a scraper gets them but for the name.
  std::vector<std::string> Metrics(absl::string_view name) {
    std::vector<std::string> found;
    const std::string text = prometheus::TextSerializer().Serialize(registry_.Collect());
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      if (absl::StartsWith(line, absl::StrCat(name, "{")) && !absl::EndsWith(line, " 0")) {
        found.emplace_back(absl::StripPrefix(line, name));
      }
    }
    return found;
  }

  std::vector<nlohmann::json> Log() const { return log_.Lines(); }

  prometheus::Registry registry_;
  TestLog log_;
  ParticipantMonitor monitor_{"main", registry_, log_.log()};
};

void Count(ParticipantMonitor& monitor, const v1::Participant& participant) {
  monitor.OnParticipant(participant.record_case(), participant.unrecognized());
}

TEST_F(ParticipantMonitorTest, CountsParticipantsByTheirRecord) {
  Count(monitor_, Plain());
  Count(monitor_, Plain());
  v1::Participant summary;
  summary.mutable_conference_participant_summary();
  Count(monitor_, summary);
  Count(monitor_, v1::Participant());  // no record
  EXPECT_THAT(
      Metrics("rollcall_participants_total"),
      UnorderedElementsAre(R"({record="live_participant",upstream="main"} 2)",
                           R"({record="conference_participant_summary",upstream="main"} 1)"));
  EXPECT_THAT(Metrics("rollcall_unrecognized_values_total"), IsEmpty());
  EXPECT_THAT(Log(), IsEmpty());
}

TEST_F(ParticipantMonitorTest, CountsAnUnparsableRecordWithAPathOfItsOwn) {
  Count(monitor_, With("", Value::KIND_UNPARSABLE_RECORD));
  EXPECT_THAT(
      Metrics("rollcall_unrecognized_values_total"),
      UnorderedElementsAre(R"m({kind="unparsable_record",path="(record)",upstream="main"} 1)m"));
}

TEST_F(ParticipantMonitorTest, CountsEveryValueAndLogsEachPathAndKindOnce) {
  for (int i = 0; i < 3; ++i) Count(monitor_, With("events['a.b']"));
  Count(monitor_, With("events['a.b']", Value::KIND_DUPLICATE_FIELD));
  EXPECT_THAT(
      Metrics("rollcall_unrecognized_values_total"),
      UnorderedElementsAre(R"({kind="unknown_field",path="events['a.b']",upstream="main"} 3)",
                           R"({kind="duplicate_field",path="events['a.b']",upstream="main"} 1)"));
  EXPECT_THAT(log_.text().substr(0, log_.text().find(',')),
              MatchesRegex("\\{\"time\":\"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
                           "\\.[0-9]{3}Z\""));
  const std::vector<nlohmann::json> log = Log();
  ASSERT_THAT(log, SizeIs(2));
  EXPECT_EQ(log[0], nlohmann::json({{"level", "warn"},
                                    {"event", "unrecognized_value"},
                                    {"upstream", "main"},
                                    {"path", "events['a.b']"},
                                    {"kind", "unknown_field"}}));
  EXPECT_EQ(log[1]["kind"], "duplicate_field");
}

TEST_F(ParticipantMonitorTest, UpstreamsAreCountedApart) {
  ParticipantMonitor other("other", registry_, log_.log());
  Count(monitor_, With("x"));
  Count(other, With("x"));
  EXPECT_THAT(Metrics("rollcall_unrecognized_values_total"), SizeIs(2));
  EXPECT_THAT(Log(), SizeIs(2));
}

TEST_F(ParticipantMonitorTest, PathsBeyondTheMostAreCountedTogether) {
  constexpr auto kMost = static_cast<int>(ParticipantMonitor::kMaxPaths);
  for (int i = 0; i < kMost + 100; ++i) Count(monitor_, With(absl::StrCat("x", i)));
  // A path that has its place keeps it, with a kind that it did not have yet too.
  Count(monitor_, With("x0", Value::KIND_WRONG_TYPE));
  const std::vector<std::string> metrics = Metrics("rollcall_unrecognized_values_total");
  EXPECT_THAT(metrics, SizeIs(kMost + 2));
  EXPECT_THAT(metrics, Contains(R"-({kind="unknown_field",path="(other)",upstream="main"} 100)-"));
  EXPECT_THAT(Log(), SizeIs(kMost + 2));
}

TEST_F(ParticipantMonitorTest, LongPathsAreCutBetweenCharacters) {
  constexpr size_t kMost = ParticipantMonitor::kMaxPathBytes;
  const std::string exact(kMost, 'a');
  const std::string nearly(kMost - 2, 'b');
  Count(monitor_, With(exact));
  Count(monitor_, With(exact + "x"));
  Count(monitor_, With(nearly + "\xE2\x82\xAC"));  // one character of three bytes
  const std::vector<nlohmann::json> log = Log();
  ASSERT_THAT(log, SizeIs(2));
  EXPECT_EQ(log[0]["path"], exact);
  EXPECT_EQ(log[1]["path"], nearly);
}

TEST_F(ParticipantMonitorTest, NoNameCanForgeALineOrASeries) {
  const std::string name =
      "['a\"} 7\nrollcall_participants_total 9\x1b[2J\x7f\xC2\x9B\xE2\x80\xA8']";
  Count(monitor_, With(name));
  EXPECT_THAT(Metrics("rollcall_unrecognized_values_total"), SizeIs(1));
  EXPECT_THAT(Metrics("rollcall_participants_total"), SizeIs(1));
  ASSERT_THAT(Log(), SizeIs(1));
  EXPECT_EQ(Log()[0]["path"], name);
  for (const char c : log_.text()) EXPECT_TRUE(c == '\n' || (c >= ' ' && c < '\x7f'));
}

TEST_F(ParticipantMonitorTest, ThreadsLoseNothing) {
  constexpr int kThreads = 4;
  constexpr int kParticipants = 2000;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this] {
      for (int i = 0; i < kParticipants; ++i) {
        Count(monitor_, With(absl::StrCat("x", i % 10)));
        if (i % 500 == 0) registry_.Collect();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(Metrics("rollcall_participants_total"),
              ElementsAre(R"({record="live_participant",upstream="main"} 8000)"));
  const auto unrecognized = Metrics("rollcall_unrecognized_values_total");
  EXPECT_THAT(unrecognized, SizeIs(10));
  for (const auto& line : unrecognized) EXPECT_TRUE(absl::EndsWith(line, "} 800")) << line;
  EXPECT_THAT(Log(), SizeIs(10));
}

}  // namespace
}  // namespace rollcall::service
