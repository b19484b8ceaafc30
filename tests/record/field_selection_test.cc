#include "service/record/field_selection.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "service/provider/participant_api.h"
#include "tests/record/decode_record.h"

namespace rollcall::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const ObjectSchema& Schema() { return TwilioVoiceInsights().record_schema().object; }

const FieldSchema& Field(const ObjectSchema& schema, absl::string_view proto) {
  const auto field = std::find_if(schema.fields.begin(), schema.fields.end(),
                                  [&](const FieldSchema& row) { return row.proto == proto; });
  EXPECT_NE(field, schema.fields.end()) << proto;
  return *field;
}

FieldSelection Select(const std::vector<std::string>& paths,
                      std::vector<std::string>* unknown_paths = nullptr) {
  google::protobuf::FieldMask mask;
  for (const std::string& path : paths) mask.add_paths(path);
  std::vector<std::string> unknown;
  FieldSelection selection = FieldSelection::FromMask(mask, Schema(), unknown);
  if (unknown_paths != nullptr) {
    *unknown_paths = unknown;
  } else {
    EXPECT_THAT(unknown, IsEmpty());
  }
  return selection;
}

// The paths of all selected fields that are not objects.
void AddLeaves(const FieldSelection& selection, const ObjectSchema& schema,
               const std::string& prefix, std::vector<std::string>& leaves) {
  for (const FieldSchema& field : schema.fields) {
    if (!selection.Includes(field) || field.name == "early_media") continue;
    const std::string path = prefix + std::string(field.proto);
    if (field.object == nullptr) {
      leaves.push_back(path);
    } else {
      AddLeaves(selection.Within(field), *field.object, path + ".", leaves);
    }
  }
}

std::vector<std::string> Leaves(const std::vector<std::string>& paths) {
  std::vector<std::string> leaves;
  AddLeaves(Select(paths), Schema(), "", leaves);
  return leaves;
}

TEST(FieldSelectionTest, DefaultAndEmptyMaskSelectEverything) {
  EXPECT_TRUE(FieldSelection().includes_all());
  EXPECT_TRUE(Select({}).includes_all());
  for (const FieldSchema& field : Schema().fields) {
    EXPECT_TRUE(Select({}).Includes(field));
    EXPECT_TRUE(Select({}).Within(field).includes_all());
  }
}

TEST(FieldSelectionTest, SelectsNamedFields) {
  EXPECT_THAT(Leaves({"label"}), ElementsAre("label"));
  EXPECT_THAT(Leaves({"url", "call_sid", "url"}), ElementsAre("call_sid", "url"));
  EXPECT_THAT(Leaves({"from_address"}), ElementsAre("from_address"));
  EXPECT_THAT(Leaves({"metrics.inbound.mos"}), ElementsAre("metrics.inbound.mos"));
  EXPECT_THAT(Leaves({"metrics.inbound.mos", "metrics.outbound.jitter", "label"}),
              ElementsAre("label", "metrics.inbound.mos", "metrics.outbound.jitter.avg",
                          "metrics.outbound.jitter.max"));
  EXPECT_FALSE(Select({"label"}).includes_all());
}

TEST(FieldSelectionTest, PathOfAnObjectSelectsAllItsFields) {
  const FieldSelection selection = Select({"metrics.inbound"});
  const FieldSchema& metrics = Field(Schema(), "metrics");
  const FieldSchema& inbound = Field(*metrics.object, "inbound");
  EXPECT_TRUE(selection.Includes(metrics));
  EXPECT_FALSE(selection.Within(metrics).includes_all());
  EXPECT_TRUE(selection.Within(metrics).Includes(inbound));
  EXPECT_TRUE(selection.Within(metrics).Within(inbound).includes_all());
}

TEST(FieldSelectionTest, ObjectIncludesItsMembersInAnyOrder) {
  std::vector<std::string> paths = {"metrics", "metrics.inbound", "metrics.inbound.jitter",
                                    "metrics.inbound.jitter.avg", "metrics.outbound.mos"};
  std::sort(paths.begin(), paths.end());
  do {
    const FieldSelection selection = Select(paths);
    const FieldSchema& metrics = Field(Schema(), "metrics");
    EXPECT_TRUE(selection.Includes(metrics));
    EXPECT_TRUE(selection.Within(metrics).includes_all()) << testing::PrintToString(paths);
    EXPECT_FALSE(selection.Includes(Field(Schema(), "label")));
  } while (std::next_permutation(paths.begin(), paths.end()));

  paths = {"metrics.inbound.jitter", "metrics.inbound.jitter.avg", "metrics.inbound.mos"};
  std::sort(paths.begin(), paths.end());
  do {
    EXPECT_THAT(Leaves(paths), ElementsAre("metrics.inbound.jitter.avg",
                                           "metrics.inbound.jitter.max", "metrics.inbound.mos"))
        << testing::PrintToString(paths);
  } while (std::next_permutation(paths.begin(), paths.end()));
}

TEST(FieldSelectionTest, AsteriskSelectsEverything) {
  for (const std::vector<std::string>& paths :
       {std::vector<std::string>{"*"}, {"*", "*"}, {"*", "label"}, {"metrics.inbound.mos", "*"}}) {
    EXPECT_TRUE(Select(paths).includes_all()) << testing::PrintToString(paths);
    EXPECT_EQ(Leaves(paths), Leaves({})) << testing::PrintToString(paths);
  }
}

TEST(FieldSelectionTest, AsteriskDoesNotHideUnknownPaths) {
  std::vector<std::string> unknown;
  EXPECT_TRUE(Select({"nothing", "*", "**"}, &unknown).includes_all());
  EXPECT_THAT(unknown, ElementsAre("nothing", "**"));
}

// With any other mask the text may be of a field that was not requested.
TEST(FieldSelectionTest, AsteriskKeepsTheTextOfUnparsableRecords) {
  static constexpr char kUnparsable[] = R"({"label":)";
  const auto text = [](const std::vector<std::string>& mask) {
    const absl::StatusOr<v1::Participant> participant =
        DecodeRecord(TwilioVoiceInsights().record_schema(), kUnparsable, mask);
    EXPECT_TRUE(participant.ok());
    EXPECT_EQ(participant->unrecognized_size(), 1);
    return participant->unrecognized(0).json();
  };
  EXPECT_EQ(text({}), kUnparsable);
  EXPECT_EQ(text({"*"}), kUnparsable);
  EXPECT_EQ(text({"label"}), "");
}

TEST(FieldSelectionTest, ReportsUnknownPaths) {
  const std::vector<std::string> bad_paths = {
      "",
      ".",
      "nothing",
      "Label",
      "label ",
      " label",
      "label.",
      ".label",
      "label.x",
      "from",
      "duration_seconds",
      "properties.early_media",
      "metrics.",
      "metrics..inbound",
      "metrics.inbound.",
      "metrics.inbound.nothing",
      "metrics.inbound.mos.x",
      "metrics.mos",
      "events.mute",
      "coached_participants.0",
      "join_time.seconds",
      "conference_participant_summary.label",
      "**",
      "*.*",
      "*.label",
      "*.",
      " *",
      "* ",
      "label.*",
      "metrics.*",
      "metrics.inbound.*",
      "a.*",
      std::string("label\0", 6),
      std::string(100000, '.'),
  };
  for (const std::string& path : bad_paths) {
    // Tests the unknown path after, before and without known paths. One known path may be an object
    // that is a prefix of the unknown path.
    for (const std::vector<std::string>& known :
         {std::vector<std::string>{}, {"label"}, {"metrics"}, {"metrics.inbound.jitter"}}) {
      std::vector<std::string> paths = known;
      paths.push_back(path);
      std::vector<std::string> unknown;
      FieldSelection selection = Select(paths, &unknown);
      EXPECT_THAT(unknown, ElementsAre(path));
      std::vector<std::string> leaves;
      AddLeaves(selection, Schema(), "", leaves);
      EXPECT_EQ(leaves.empty(), known.empty());
      std::rotate(paths.begin(), paths.end() - 1, paths.end());
      Select(paths, &unknown);
      EXPECT_THAT(unknown, ElementsAre(path));
      if (!known.empty()) {
        std::vector<std::string> same;
        AddLeaves(Select(paths, &unknown), Schema(), "", same);
        EXPECT_EQ(same, leaves);
      }
    }
  }
  std::vector<std::string> unknown;
  Select(bad_paths, &unknown);
  EXPECT_EQ(unknown, bad_paths);
}

}  // namespace
}  // namespace rollcall::service
