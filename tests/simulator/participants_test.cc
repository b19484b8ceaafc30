#include "tests/simulator/participants.h"

#include <array>
#include <map>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace rollcall::simulator {
namespace {

using ::testing::AllOf;
using ::testing::Eq;
using ::testing::Ge;
using ::testing::Le;
using ::testing::MatchesRegex;
using ::testing::Optional;

class ParticipantsTest : public ::testing::TestWithParam<Api> {
 protected:
  const List list_{GetParam(), 500};
  const std::string sid_key_ =
      GetParam() == Api::kVoiceInsights || GetParam() == Api::kVideoInsights ? "participant_sid"
                                                                             : "call_sid";
};

INSTANTIATE_TEST_SUITE_P(Apis, ParticipantsTest,
                         ::testing::Values(Api::kVoiceInsights, Api::kVideoInsights,
                                           Api::kSignalWire, Api::kTwilioCore));

TEST_P(ParticipantsTest, ListSidEncodesSize) {
  EXPECT_THAT(ListSize(GetParam(), ListSid(list_)), Optional(Eq(500)));
  EXPECT_THAT(ListSize(GetParam(), ListSid(List(GetParam(), 0))), Optional(Eq(0)));
  EXPECT_EQ(ListSize(GetParam(), ListSid(list_) + "0"), std::nullopt);
  EXPECT_EQ(ListSize(GetParam(), ""), std::nullopt);
  EXPECT_EQ(ListSize(GetParam(), std::string(40, '9')), std::nullopt);
}

TEST_P(ParticipantsTest, RecordsAreValidJsonAndSidsMapBackToIndex) {
  std::set<std::string> sids;
  for (int64_t i = 0; i < list_.size; ++i) {
    const nlohmann::json record = nlohmann::json::parse(ParticipantJson(list_, i));
    const std::string sid = record.at(sid_key_);
    EXPECT_EQ(sid, ParticipantSid(list_, i));
    EXPECT_THAT(FindParticipant(list_, sid), Optional(Eq(i)));
    sids.insert(sid);
  }
  EXPECT_EQ(sids.size(), 500u);
  EXPECT_EQ(FindParticipant(List(GetParam(), 501), *sids.begin()), std::nullopt);
}

TEST_P(ParticipantsTest, LabelMatchesRecord) {
  std::set<std::string> labels;
  for (int64_t i = 0; i < list_.size; ++i) {
    const nlohmann::json record = nlohmann::json::parse(ParticipantJson(list_, i));
    const auto label = ParticipantLabel(list_, i);
    if (record.contains("label") && !record["label"].is_null()) {
      ASSERT_EQ(label, record["label"].get<std::string>());
      labels.insert(*label);
    } else {
      ASSERT_EQ(label, std::nullopt);
    }
  }
  const bool has_labels = GetParam() == Api::kVoiceInsights || GetParam() == Api::kTwilioCore;
  EXPECT_EQ(labels.count("client"), has_labels ? 1u : 0u);
}

TEST_P(ParticipantsTest, FiltersMatchRecords) {
  Filter muted, held, coaching, event;
  muted.muted = true;
  held.hold = false;
  coaching.coaching = true;
  event.event = "mute";
  const bool live = GetParam() == Api::kSignalWire || GetParam() == Api::kTwilioCore;
  for (int64_t i = 0; i < list_.size; ++i) {
    const nlohmann::json record = nlohmann::json::parse(ParticipantJson(list_, i));
    if (live) {
      ASSERT_EQ(Matches(list_, i, muted), record["muted"] == true);
      ASSERT_EQ(Matches(list_, i, held), record["hold"] == false);
      ASSERT_EQ(Matches(list_, i, coaching), record["coaching"] == true);
    } else if (GetParam() == Api::kVoiceInsights) {
      ASSERT_EQ(Matches(list_, i, event),
                record.contains("events") && record["events"].contains("mute"));
    }
  }
}

TEST(VoiceInsightsParticipantsTest, RecordsVaryInLengthAndFormLikeTheProviders) {
  const List list(Api::kVoiceInsights, 500);
  size_t bytes = 0;
  // How often each key was absent, null, or had a value.
  std::map<std::string, std::array<int, 3>> seen;
  std::set<std::string> orders;
  int escapes = 0;
  for (int64_t i = 0; i < list.size; ++i) {
    const std::string json = ParticipantJson(list, i);
    bytes += json.size();
    escapes += absl::StrContains(json, "\\u") ? 1 : 0;
    const auto record = nlohmann::ordered_json::parse(json);
    orders.insert(record.begin().key());
    for (const char* key : {"label", "events", "metrics", "properties", "leave_time",
                            "outbound_queue_length", "coached_participants"}) {
      ++seen[key][!record.contains(key) ? 0 : record[key].is_null() ? 1 : 2];
    }
    EXPECT_THAT(record["call_sid"].get<std::string>(), MatchesRegex("CA[0-9a-f]{32}"));
  }
  EXPECT_THAT(bytes / list.size, AllOf(Ge(1200u), Le(1500u)));
  EXPECT_GT(orders.size(), 1u);
  EXPECT_GT(escapes, 0);
  for (const char* key : {"label", "events", "outbound_queue_length"}) {
    EXPECT_GT(seen[key][0], 0) << key;
  }
  for (const auto& [key, counts] : seen) {
    EXPECT_GT(counts[1], 0) << key;
    EXPECT_GT(counts[2], 0) << key;
  }
}

}  // namespace
}  // namespace rollcall::simulator
