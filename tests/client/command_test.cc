// Whole commands in this process, against a real gRPC server.

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <grpcpp/support/status.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cli/exit_code.h"
#include "client/cli/run.h"
#include "client/cli/terminal_text.h"
#include "tests/client/fake_server.h"
#include "tests/client/run_command.h"

namespace rollcall {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class CommandTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    signal(SIGPIPE, SIG_IGN);
    setenv("NO_COLOR", "1", 1);
  }

  // Starts the current script, and returns the arguments of a command against it.
  std::vector<std::string> Arguments(const std::string& line) {
    server_.Play(script_);
    std::vector<std::string> arguments = absl::StrSplit(line, ' ');
    arguments.insert(arguments.end(), {"--server", server_.address()});
    return arguments;
  }

  Result RunWith(const std::string& line, const Terminals& terminals = {}) {
    return RunCaptured(Arguments(line), terminals);
  }

  void AddLive(const std::string& call_sid, const std::string& label,
               const std::string& resume_token = "") {
    v1::LiveParticipant& record = *script_.Add(resume_token).mutable_live_participant();
    record.set_call_sid(call_sid);
    record.set_label(label);
    record.set_muted(false);
  }

  Script script_;
  FakeServer server_;
};

TEST_F(CommandTest, NdjsonIfOutputIsNotATerminal) {
  AddLive("A", "x\n\x1b[2J\u009b\u202e\u2066\u2069\u200d\U000e0041", "token");
  v1::Participant& second = script_.Add();
  second.mutable_live_participant()->mutable_queue_time()->set_seconds(1);
  second.mutable_null_fields()->add_paths("label");
  const Result result = RunWith("list live X --muted --limit 2");
  EXPECT_EQ(result.exit_code, kExitOk);
  EXPECT_EQ(
      result.out,
      "{\"live_participant\":{\"call_sid\":\"A\",\"label\":\"x\\n\\u001b[2J\\u009b\\u202e\\u2066"
      "\\u2069\\u200d\\udb40\\udc41\",\"muted\":false}}\n"
      "{\"live_participant\":{\"queue_time\":\"1s\"},\"null_fields\":\"label\"}\n");
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(server_.list_request().live_participants().conference_sid(), "X");
  EXPECT_TRUE(server_.list_request().live_participants().muted());
  EXPECT_EQ(server_.list_request().limit(), 2);
  EXPECT_FALSE(server_.list_request().has_read_mask());
}

TEST_F(CommandTest, NdjsonParsesBackToTheMessage) {
  v1::Participant& sent = script_.Add("token");
  v1::ConferenceParticipantSummary& record = *sent.mutable_conference_participant_summary();
  record.set_label("Zoë");
  record.set_call_status(v1::CALL_STATUS_COMPLETED);
  record.mutable_join_time()->set_seconds(1633661931);
  (*record.mutable_events())["mute"].add_times()->set_seconds(1);
  sent.mutable_null_fields()->add_paths("metrics.inbound.mos");
  sent.mutable_null_fields()->add_paths("call_type");
  v1::UnrecognizedValue& value = *sent.add_unrecognized();
  value.set_path("events['a.b']");
  value.set_json("{\"a\": 1.0}");
  value.set_kind(v1::UnrecognizedValue::KIND_WRONG_TYPE);
  const Result result = RunWith("list conference CF1 --resume-tokens");
  v1::ListParticipantsResponse read;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(result.out, &read).ok()) << result.out;
  EXPECT_EQ(read.SerializeAsString(), script_.list[0].SerializeAsString());
}

TEST_F(CommandTest, NdjsonOfATimeOutOfRangeIsAnError) {
  AddLive("A", "");
  script_.Add().mutable_live_participant()->mutable_date_created()->set_seconds(INT64_MAX);
  const Result result = RunWith("list live X");
  EXPECT_EQ(result.exit_code, kExitFailure);
  EXPECT_THAT(result.out, HasSubstr("\"A\""));
  EXPECT_THAT(result.err, StartsWith("rollcall: INTERNAL: participant has no JSON form"));
}

TEST_F(CommandTest, CsvOfChosenFields) {
  AddLive("A", "comma, \"quote\"\nand\x1b[2J");
  AddLive("B", "");
  const Result result = RunWith("list live X --output csv --fields call_sid,label,muted,hold");
  EXPECT_EQ(result.exit_code, kExitOk);
  EXPECT_EQ(result.out,
            "call_sid,label,muted,hold\r\n"
            "A,\"comma, \"\"quote\"\"\\nand\\x1b[2J\",false,\r\n"
            "B,,false,\r\n");
  EXPECT_THAT(server_.list_request().read_mask().paths(),
              ElementsAre("call_sid", "label", "muted", "hold"));
}

TEST_F(CommandTest, CsvOfAllFields) {
  v1::ConferenceParticipantSummary& record =
      *script_.Add().mutable_conference_participant_summary();
  record.set_participant_sid("CP1");
  record.mutable_metrics()->mutable_inbound()->set_mos(4.5);
  const Result result = RunWith("list conference CF1 --output csv");
  const std::vector<std::string> lines = absl::StrSplit(result.out, "\r\n");
  ASSERT_EQ(lines.size(), 3u);
  const std::vector<std::string> names = absl::StrSplit(lines[0], ',');
  const std::vector<std::string> values = absl::StrSplit(lines[1], ',');
  ASSERT_EQ(names.size(), values.size());
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(values[i], names[i] == "participant_sid"       ? "CP1"
                         : names[i] == "metrics.inbound.mos" ? "4.5"
                                                             : "")
        << names[i];
  }
  EXPECT_FALSE(server_.list_request().has_read_mask());
}

TEST_F(CommandTest, EmptyListHasAHeaderInCsvAndNothingInNdjson) {
  EXPECT_EQ(RunWith("list live X --output csv --fields label").out, "label\r\n");
  EXPECT_EQ(RunWith("list live X --output ndjson").out, "");
  EXPECT_EQ(RunWith("list live X --output json").out, "[\n]\n");
}

TEST_F(CommandTest, JsonArrayIsClosedOnlyIfTheListIsComplete) {
  AddLive("A", "", "first");
  AddLive("B", "", "second");
  EXPECT_EQ(RunWith("list live X --output json --fields call_sid --resume-tokens").out,
            "[\n"
            "{\"participant\":{\"live_participant\":{\"call_sid\":\"A\",\"label\":\"\","
            "\"muted\":false}},\"resume_token\":\"first\"}\n"
            ",{\"participant\":{\"live_participant\":{\"call_sid\":\"B\",\"label\":\"\","
            "\"muted\":false}},\"resume_token\":\"second\"}\n"
            "]\n");
  script_.status = grpc::Status(grpc::NOT_FOUND, "gone");
  EXPECT_THAT(RunWith("list live X --output json").out, EndsWith("}}\n"));
  script_.list.clear();
  EXPECT_EQ(RunWith("list live X --output json").out, "");
}

TEST_F(CommandTest, StylesOnlyOnTerminalsThatSupportThem) {
  AddLive("A", "");
  const std::string header = "CALL_SID                              MUTED";
  const auto table = [this](const Terminals& terminals) {
    return RunWith("list live X --output table --fields call_sid,muted", terminals).out;
  };
  const Terminals both = {.out = 80, .err = 80};
  setenv("TERM", "xterm", 1);
  EXPECT_THAT(table(both), StartsWith(header + "\n"));
  unsetenv("NO_COLOR");
  EXPECT_THAT(table(both), StartsWith("\x1b[1m" + header + "\x1b[m\nA "));
  EXPECT_THAT(table({.out = std::nullopt, .err = 80}), StartsWith(header + "\n"));
  script_.status = grpc::Status(grpc::NOT_FOUND, "gone");
  EXPECT_THAT(RunWith("list live X", both).err,
              StartsWith("\x1b[1;31mrollcall:\x1b[m NOT_FOUND: gone\n"));
  EXPECT_THAT(RunWith("list live X", {.out = 80, .err = std::nullopt}).err,
              StartsWith("rollcall: NOT_FOUND: gone\n"));
  script_.status = grpc::Status::OK;
  setenv("TERM", "dumb", 1);
  EXPECT_THAT(table(both), StartsWith(header + "\n"));
  unsetenv("TERM");
  EXPECT_THAT(table(both), StartsWith(header + "\n"));
  setenv("NO_COLOR", "1", 1);
}

TEST_F(CommandTest, FailedListWithoutParticipantsHasNoHeader) {
  script_.status = grpc::Status(grpc::NOT_FOUND, "no such conference");
  const Result result = RunWith("list live X --output csv");
  EXPECT_EQ(result.exit_code, kExitNotFound);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "rollcall: NOT_FOUND: no such conference\n");
}

TEST_F(CommandTest, TableOnATerminal) {
  AddLive("6f1f0a30-4b0d-4a5e-9f1c-2b8b7d3e5c11", "a label \x1b[2J that is too long to show");
  script_.trailers = {{"rollcall-records", "1"},
                      {"rollcall-pages", "2"},
                      {"rollcall-attempts", "3"},
                      {"rollcall-duplicates-suppressed", "4"},
                      {"rollcall-unrecognized", "many"}};
  const Result result = RunWith("list live X", {.out = 80, .err = 80});
  EXPECT_EQ(result.exit_code, kExitOk);
  const std::vector<std::string> lines = absl::StrSplit(result.out, '\n');
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0],
            "CALL_SID                              LABEL             MUTED  HOLD   COACHING");
  EXPECT_EQ(lines[1], "6f1f0a30-4b0d-4a5e-9f1c-2b8b7d3e5c11  a label \\x1b[2J…  false  -      -");
  EXPECT_THAT(result.err, MatchesRegex("1 participant in [0-9]+\\.[0-9] s "
                                       "\\(2 pages, 3 attempts, 4 duplicates skipped\\)\n"));
}

// The service refuses a mask that names personal data if the caller may not see it.
TEST_F(CommandTest, DefaultTableColumnsAreNotSentAsAMask) {
  for (const std::string list : {"conference CF1", "room RM1", "live X"}) {
    EXPECT_EQ(RunWith("list " + list + " --output table").exit_code, kExitOk);
    EXPECT_FALSE(server_.list_request().has_read_mask()) << list;
  }
  RunWith("list live X --output table --fields call_sid,label");
  EXPECT_THAT(server_.list_request().read_mask().paths(), ElementsAre("call_sid", "label"));
}

TEST_F(CommandTest, TableInAPipeIsNotCut) {
  AddLive(std::string(40, 'x'), std::string(200, 'y'));
  const Result result = RunWith("list live X --output table --fields call_sid,label,muted");
  EXPECT_THAT(result.out,
              HasSubstr(std::string(40, 'x') + "  " + std::string(200, 'y') + "  false\n"));
}

TEST_F(CommandTest, ListWithMissingRecordsFailsWithoutAdviceToResume) {
  AddLive("A", "", "first");
  script_.trailers = {{"rollcall-records", "2"}};
  const Result result = RunWith("list live X");
  EXPECT_EQ(result.exit_code, kExitFailure);
  EXPECT_EQ(result.err,
            "rollcall: DATA_LOSS: list is incomplete: the service sent 2 records in this call, 1 "
            "arrived; restart the list without a resume token\n");
}

TEST_F(CommandTest, WarnsIfTheServerIgnoresTheLimit) {
  AddLive("A", "", "first");
  AddLive("B", "", "second");
  const Result result = RunWith("list live X --limit 1");
  EXPECT_EQ(result.exit_code, kExitOk);
  EXPECT_THAT(result.out, AllOf(HasSubstr("\"A\""), Not(HasSubstr("\"B\""))));
  EXPECT_EQ(result.err,
            "rollcall: warning: the server ignored --limit 1 and sent more; stopped after 1 "
            "participant\n");
}

TEST_F(CommandTest, TableShowsHowToResumeAfterTheLimit) {
  AddLive("A", "", "first");
  AddLive("B", "", "-second");
  EXPECT_THAT(RunWith("list live X --output table --limit 2").err,
              EndsWith("the limit is reached; to continue from there, add --resume=-second\n"));
  EXPECT_THAT(RunWith("list live X --output table --limit 3").err, Not(HasSubstr("--resume")));
  EXPECT_EQ(RunWith("list live X --resume -second").exit_code, kExitOk);
  EXPECT_EQ(server_.list_request().resume_token(), "-second");
}

TEST_F(CommandTest, ProgressIsShownAndClearedIfOutputIsRedirected) {
  const std::vector<std::string> line = Arguments("list live X");
  AddLive("A", "", "first");
  script_.on_listed = [] { absl::SleepFor(absl::Milliseconds(1001)); };  // the line's delay
  script_.trailers = {{"rollcall-pages", "3"}};
  script_.status = grpc::Status(grpc::UNAVAILABLE, "gone");
  Script rest;
  rest.Add("second").mutable_live_participant()->set_call_sid("B");
  rest.trailers = {{"rollcall-pages", "4"}};
  server_.PlayInTurn({script_, rest});
  const Result result = RunCaptured(line, {.out = std::nullopt, .err = 80});
  EXPECT_THAT(result.out, StartsWith("{"));
  // On a slow machine both participants may arrive before the line is shown.
  EXPECT_THAT(result.err, ContainsRegex("\r(1 participant, [0-9]+ a second|"
                                        "2 participants, [0-9]+ a second, resumed once)\x1b"));
  // The summary stays.
  EXPECT_THAT(result.err, HasSubstr("\x1b[K\r\x1b[K2 participants in "));
  EXPECT_THAT(result.err, EndsWith("(7 pages, resumed once)\n"));
}

TEST_F(CommandTest, ProgressIsNotShownAmongParticipants) {
  AddLive("A", "");
  EXPECT_EQ(RunWith("list live X --output ndjson", {.out = 80, .err = 80}).err, "");
}

TEST_F(CommandTest, FailureAfterParticipantsShowsHowToResume) {
  AddLive("A", "", "first");
  google::rpc::ErrorInfo info;
  info.set_domain("rollcall");
  info.set_reason("UPSTREAM_TIMEOUT");
  script_.status = RichStatus(grpc::UNAVAILABLE, "the provider stopped answering", info);
  const Result result = RunWith("list live X --retries 0");
  EXPECT_EQ(result.exit_code, kExitTryAgain);
  EXPECT_THAT(result.out, HasSubstr("\"A\""));
  EXPECT_EQ(
      result.err,
      "rollcall: UNAVAILABLE: the provider stopped answering\n"
      "  reason: UPSTREAM_TIMEOUT\n"
      "  hint: try again\n"
      "1 participant arrived before the failure; to continue from there, add --resume=first\n");
}

TEST_F(CommandTest, ListResumesWhenItsCallBreaksOff) {
  const std::vector<std::string> line = Arguments("list live X --limit 3 --resume-tokens");
  AddLive("A", "", "first");
  script_.status = grpc::Status(grpc::UNAVAILABLE, "gone");
  Script rest;
  rest.Add("second").mutable_live_participant()->set_call_sid("B");
  server_.PlayInTurn({script_, script_, rest});
  const Result result = RunCaptured(line);
  EXPECT_EQ(result.exit_code, kExitOk);
  EXPECT_EQ(result.err, "");
  const std::vector<std::string> lines = absl::StrSplit(result.out, '\n');
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_THAT(lines[2], HasSubstr("\"B\""));
  EXPECT_THAT(lines[2], HasSubstr("second"));
  EXPECT_EQ(server_.list_request().resume_token(), "first");
  EXPECT_EQ(server_.list_request().limit(), 1);
}

TEST_F(CommandTest, SummaryShowsThatAListWasResumed) {
  const std::vector<std::string> line = Arguments("list live X");
  AddLive("A", "", "first");
  Script gone = script_;
  gone.trailers = {{"rollcall-records", "0"}, {"rollcall-pages", "1"}};
  gone.status = grpc::Status(grpc::UNAVAILABLE, "gone");
  script_.trailers = gone.trailers;
  server_.PlayInTurn({gone, script_});
  EXPECT_THAT(RunCaptured(line, {.out = 80, .err = 80}).err,
              MatchesRegex("2 participants in [0-9]+\\.[0-9] s \\(2 pages, resumed once\\)\n"));
}

TEST_F(CommandTest, GetRetriesAsOftenAsTheOptionSays) {
  const std::vector<std::string> line = Arguments("get room RM1 PA1 --retries 1");
  Script gone;
  gone.status = grpc::Status(grpc::UNAVAILABLE, "gone");
  script_.participant.mutable_participant()->mutable_room_participant_summary();
  server_.PlayInTurn({gone, script_});
  EXPECT_EQ(RunCaptured(line).exit_code, kExitOk);
  server_.PlayInTurn({gone, gone, script_});
  EXPECT_EQ(RunCaptured(line).exit_code, kExitTryAgain);
}

TEST_F(CommandTest, AnotherKindOfRecordIsAnError) {
  script_.Add().mutable_room_participant_summary();
  EXPECT_EQ(RunWith("list live X").exit_code, kExitFailure);
  script_.list.clear();
  script_.Add();
  const Result result = RunWith("list live X --output table");
  EXPECT_EQ(result.exit_code, kExitFailure);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err,
              StartsWith("rollcall: INTERNAL: the service sent another kind of record"));
  EXPECT_EQ(RunWith("get live X Y").exit_code, kExitFailure);
}

TEST_F(CommandTest, GetOnATerminalShowsEachField) {
  v1::Participant& participant = *script_.participant.mutable_participant();
  v1::ConferenceParticipantSummary& record = *participant.mutable_conference_participant_summary();
  record.set_participant_sid("CP1");
  record.set_label("");
  record.mutable_properties()->set_enter_muted(true);
  participant.mutable_null_fields()->add_paths("call_type");
  participant.mutable_null_fields()->add_paths("metrics");
  participant.mutable_empty_fields()->add_paths("coached_participants");
  participant.mutable_empty_fields()->add_paths("events");
  v1::UnrecognizedValue& value = *participant.add_unrecognized();
  value.set_path("new");
  value.set_json("\"\x1b[2J\"");
  const Result result = RunWith("get conference CF1 CP1", {.out = 80, .err = std::nullopt});
  EXPECT_EQ(result.exit_code, kExitOk);
  EXPECT_EQ(result.out,
            "participant_sid         CP1\n"
            "label                   \"\"\n"
            "coached_participants    []\n"
            "call_type               null\n"
            "properties.enter_muted  true\n"
            "events                  {}\n"
            "metrics                 null\n"
            "unrecognized: new = \"\\x1b[2J\"\n");
  EXPECT_EQ(server_.get_request().conference_participant_summary().participant_sid(), "CP1");
  EXPECT_EQ(RunWith("get conference CF1 CP1 --fields participant_sid,url",
                    {.out = 80, .err = std::nullopt})
                .out,
            "participant_sid  CP1\n"
            "url              -\n"
            "unrecognized: new = \"\\x1b[2J\"\n");
  EXPECT_THAT(server_.get_request().read_mask().paths(), ElementsAre("participant_sid", "url"));
}

TEST_F(CommandTest, GetInOtherFormats) {
  script_.participant.mutable_participant()->mutable_room_participant_summary()->set_status(
      v1::ROOM_PARTICIPANT_STATUS_CONNECTED);
  EXPECT_EQ(RunWith("get room RM1 PA1").out,
            "{\"room_participant_summary\":{\"status\":\"ROOM_PARTICIPANT_STATUS_CONNECTED\"}}\n");
  EXPECT_EQ(RunWith("get room RM1 PA1 --output json").out,
            "{\n \"room_participant_summary\": {\n"
            "  \"status\": \"ROOM_PARTICIPANT_STATUS_CONNECTED\"\n }\n}\n");
  EXPECT_EQ(RunWith("get room RM1 PA1 --output csv --fields status,url").out,
            "status,url\r\nROOM_PARTICIPANT_STATUS_CONNECTED,\r\n");
}

TEST_F(CommandTest, EnumValuesAreSpelledTheSameInAllFormats) {
  script_.Add().mutable_conference_participant_summary()->set_call_status(
      v1::CALL_STATUS_COMPLETED);
  for (const std::string format : {"table", "ndjson", "json", "csv"}) {
    EXPECT_THAT(RunWith("list conference CF1 --fields call_status --output " + format).out,
                ContainsRegex("(^|[^A-Z_])CALL_STATUS_COMPLETED([^A-Z_]|$)"))
        << format;
  }
  *script_.participant.mutable_participant() = script_.list[0].participant();
  EXPECT_EQ(RunWith("get conference CF1 CP1 --output table").out,
            "call_status  CALL_STATUS_COMPLETED\n");
}

TEST_F(CommandTest, GetThatFails) {
  script_.status = grpc::Status(grpc::PERMISSION_DENIED, "no");
  const Result result = RunWith("get room RM1 PA1 --output csv");
  EXPECT_EQ(result.exit_code, kExitAccessDenied);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "rollcall: PERMISSION_DENIED: no\n");
}

TEST_F(CommandTest, ResumeTokensNeedNdjson) {
  const Result result = RunWith("list live X --resume-tokens --output csv");
  EXPECT_EQ(result.exit_code, kExitUsage);
  EXPECT_THAT(result.err, HasSubstr("--output ndjson"));
}

TEST_F(CommandTest, UnreachableServer) {
  server_.Stop();
  const Result result = RunWith("list live X --retries 1");
  EXPECT_EQ(result.exit_code, kExitTryAgain);
  EXPECT_THAT(result.err, HasSubstr("is rollcalld running at " + server_.address() + "?"));
}

TEST_F(CommandTest, TimeoutIsTheCallsDeadline) {
  AddLive("A", "", "first");
  script_.endless = true;
  const Result result = RunWith("list live X --timeout 0.1 --output csv --fields call_sid");
  EXPECT_EQ(result.exit_code, kExitDeadline);
  EXPECT_THAT(result.err, HasSubstr("raise --timeout"));
}

TEST_F(CommandTest, InterruptCancelsTheCall) {
  AddLive("A", "", "first");
  script_.endless = true;
  Interrupt interrupt;
  script_.on_listed = [&interrupt] { interrupt.Raise(SIGINT); };
  const Result result =
      RunCaptured(Arguments("list live X --output csv --fields call_sid"), {}, interrupt);
  EXPECT_EQ(result.exit_code, 130);
  EXPECT_THAT(result.err, StartsWith("rollcall: interrupted\n"));
  server_.Stop();
  EXPECT_TRUE(server_.cancelled());
}

TEST_F(CommandTest, InterruptBeforeTheCallCancelsItToo) {
  script_.endless = true;
  AddLive("A", "");
  Interrupt interrupt;
  interrupt.Raise(SIGTERM);
  EXPECT_EQ(RunCaptured(Arguments("list live X"), {}, interrupt).exit_code, 143);
}

TEST_F(CommandTest, BrokenPipeCancelsTheCallQuietly) {
  AddLive("A", "", "first");
  script_.endless = true;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  int err_ends[2];
  ASSERT_EQ(pipe(err_ends), 0);
  Interrupt interrupt;
  EXPECT_EQ(RunCommand(Arguments("list live X"), ends[1], err_ends[1], interrupt), kExitBrokenPipe);
  close(ends[1]);
  close(err_ends[1]);
  char byte;
  EXPECT_EQ(read(err_ends[0], &byte, 1), 0);  // Nothing was written.
  close(err_ends[0]);
  server_.Stop();
  EXPECT_TRUE(server_.cancelled());
}

TEST_F(CommandTest, OutputThatCannotBeWrittenIsAnError) {
  AddLive("A", "", "first");
  int err_ends[2];
  ASSERT_EQ(pipe(err_ends), 0);
  Interrupt interrupt;
  EXPECT_EQ(RunCommand(Arguments("list live X"), /*out=*/-1, err_ends[1], interrupt), kExitFailure);
  close(err_ends[1]);
  char buffer[256];
  const ssize_t size = read(err_ends[0], buffer, sizeof(buffer));
  close(err_ends[0]);
  ASSERT_GT(size, 0);
  EXPECT_THAT(std::string(buffer, static_cast<size_t>(size)),
              StartsWith("rollcall: cannot write the output: "));
}

}  // namespace
}  // namespace rollcall
