#include "client/cli/output/table_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"
#include "client/cli/terminal_text.h"

namespace rollcall {
namespace {

std::vector<RecordField> Columns(const std::string& paths) {
  std::vector<RecordField> columns;
  for (absl::string_view path : absl::StrSplit(paths, ',')) {
    columns.push_back(RecordField::Parse(v1::LiveParticipant::descriptor(), path).value());
  }
  return columns;
}

std::vector<std::string> Paths(const std::vector<RecordField>& columns) {
  std::vector<std::string> paths;
  for (const RecordField& column : columns) paths.push_back(column.path());
  return paths;
}

class TableWriterTest : public ::testing::Test {
 protected:
  v1::LiveParticipant& record() {
    return *response_.mutable_participant()->mutable_live_participant();
  }

  std::string Row(const TableWriter& writer) { return writer.Row(response_).value(); }

  v1::ListParticipantsResponse response_;
};

TEST_F(TableWriterTest, AlignsByFieldType) {
  const TableWriter writer(Columns("label,queue_time,status,muted"), std::nullopt);
  record().set_label("front desk");
  record().mutable_queue_time()->set_seconds(5);
  record().set_status(v1::LIVE_PARTICIPANT_STATUS_IN_PROGRESS);
  record().set_muted(true);
  EXPECT_EQ(writer.Header(),
            "LABEL             QUEUE_TIME  STATUS                               MUTED\n");
  EXPECT_EQ(Row(writer),
            "front desk                5s  LIVE_PARTICIPANT_STATUS_IN_PROGRESS  true\n");
}

TEST_F(TableWriterTest, ShowsMissingAndEmptyDifferently) {
  const TableWriter writer(Columns("label,muted,call_sid_to_coach"), std::nullopt);
  record();
  EXPECT_EQ(Row(writer), "-                 -      -\n");
  record().set_label("");
  EXPECT_EQ(Row(writer), "\"\"                -      -\n");
}

TEST_F(TableWriterTest, LongValueMovesTheNextColumnsAsLittleAsPossible) {
  const TableWriter writer(Columns("label,status,muted"), std::nullopt);
  record().set_label("a label of 22 columns.");
  record().set_status(v1::LIVE_PARTICIPANT_STATUS_FAILED);
  record().set_muted(false);
  EXPECT_EQ(writer.Header(), "LABEL             STATUS                               MUTED\n");
  EXPECT_EQ(Row(writer), "a label of 22 columns.  LIVE_PARTICIPANT_STATUS_FAILED  false\n");
  record().set_label("18 columns, no more");
  EXPECT_EQ(Row(writer), "18 columns, no more  LIVE_PARTICIPANT_STATUS_FAILED    false\n");
}

TEST_F(TableWriterTest, TerminalCutsFreeTextToItsColumn) {
  const TableWriter writer(Columns("label,muted"), 80);
  record().set_label("日本語日本語日本語");
  record().set_muted(true);
  EXPECT_EQ(Row(writer), "日本語日本語日…   true\n");
}

TEST_F(TableWriterTest, TerminalKeepsSidsWhole) {
  const TableWriter writer(Columns("call_sid,muted"), 80);
  record().set_call_sid(std::string(50, 'x'));
  record().set_muted(true);
  EXPECT_EQ(Row(writer), std::string(50, 'x') + "  true\n");
}

TEST_F(TableWriterTest, RowFitsTheTerminalsWidth) {
  record().set_call_sid("6f1f0a30-4b0d-4a5e-9f1c-2b8b7d3e5c11");
  record().set_label("日本語日本語日本語");
  record().set_muted(true);
  record().mutable_queue_time()->set_seconds(12);
  for (int width = 1; width < 90; ++width) {
    const TableWriter writer(Columns("call_sid,label,queue_time,muted"), width);
    for (const std::string& line : {writer.Header(), Row(writer)}) {
      const absl::string_view text = absl::StripSuffix(line, "\n");
      EXPECT_LE(DisplayWidth(text), width);
      EXPECT_EQ(EscapeForTerminal(text), text);  // Cut between characters.
    }
  }
}

TEST_F(TableWriterTest, ControlCharactersAreEscaped) {
  const TableWriter writer(Columns("label,muted"), std::nullopt);
  record().set_label("\x1b]0;x\x07\n\u202e");
  EXPECT_EQ(Row(writer), "\\x1b]0;x\\x07\\n\\u{202e}  -\n");
}

TEST(DefaultTableColumnsTest, FitTheTerminalsWidth) {
  const auto* conference = v1::ConferenceParticipantSummary::descriptor();
  EXPECT_THAT(Paths(DefaultTableColumns(conference, 80)),
              ::testing::ElementsAre("participant_sid", "label", "call_status"));
  EXPECT_THAT(Paths(DefaultTableColumns(conference, 10)),
              ::testing::ElementsAre("participant_sid"));
  EXPECT_EQ(DefaultTableColumns(conference, std::nullopt).size(), 9u);
  EXPECT_EQ(DefaultTableColumns(v1::RoomParticipantSummary::descriptor(), std::nullopt).size(), 8u);
  EXPECT_EQ(DefaultTableColumns(v1::LiveParticipant::descriptor(), std::nullopt).size(), 8u);
}

}  // namespace
}  // namespace rollcall
