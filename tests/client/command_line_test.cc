#include "client/cli/command_line.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/exit_code.h"
#include "client/cli/field_argument.h"
#include "client/cli/reference/command_tree.h"
#include "tests/end_to_end/certificate.h"

namespace rollcall {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::variant<CommandLine, EarlyExit> Parse(const std::string& line) {
  return ParseCommandLine(absl::StrSplit(line, ' '));
}

CommandLine Parsed(const std::string& line) {
  std::variant<CommandLine, EarlyExit> parsed = Parse(line);
  if (const auto* early_exit = std::get_if<EarlyExit>(&parsed)) {
    ADD_FAILURE() << line << ": " << early_exit->err;
    return CommandLine();
  }
  return std::get<CommandLine>(parsed);
}

template <typename Request>
void ExpectRequest(const std::string& line, const std::string& expected_text) {
  Request expected;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(expected_text, &expected));
  const CommandLine command_line = Parsed(line);
  ASSERT_TRUE(std::holds_alternative<Request>(command_line.request)) << line;
  const Request& request = std::get<Request>(command_line.request);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(request, expected))
      << line << ": " << request.ShortDebugString();
}

TEST(CommandLineTest, ListRequests) {
  using Request = v1::ListParticipantsRequest;
  ExpectRequest<Request>("list conference CF1",
                         "conference_participant_summaries { conference_sid: 'CF1' }");
  ExpectRequest<Request>(
      "list conference CF1 --label L --event mute --participant CP1 --upstream voice --limit 7 "
      "--page-size 500 --resume -token",
      "upstream: 'voice' page_size: 500 limit: 7 resume_token: '-token' "
      "conference_participant_summaries { "
      "conference_sid: 'CF1' participant_sid: 'CP1' label: 'L' events: 'mute' }");
  ExpectRequest<Request>("list room RM1", "room_participant_summaries { room_sid: 'RM1' }");
  ExpectRequest<Request>("list live X", "live_participants { conference_sid: 'X' }");
  ExpectRequest<Request>(
      "list live X --muted --no-hold --coaching",
      "live_participants { conference_sid: 'X' muted: true hold: false coaching: true }");
  ExpectRequest<Request>("list live X --not-muted --hold=false",
                         "live_participants { conference_sid: 'X' muted: false hold: false }");
}

TEST(CommandLineTest, GetRequests) {
  using Request = v1::GetParticipantRequest;
  ExpectRequest<Request>(
      "get conference CF1 CP1 --events mute --metrics inbound",
      "conference_participant_summary { conference_sid: 'CF1' participant_sid: 'CP1' "
      "events: 'mute' metrics: 'inbound' }");
  ExpectRequest<Request>(
      "get room RM1 PA1 --upstream video",
      "upstream: 'video' room_participant_summary { room_sid: 'RM1' participant_sid: "
      "'PA1' }");
  ExpectRequest<Request>("get live X Y", "live_participant { conference_sid: 'X' call_sid: 'Y' }");
}

TEST(CommandLineTest, CommonOptions) {
  const CommandLine command_line =
      Parsed("get room RM1 PA1 --fields status,properties.is_adhoc --output csv --timeout 1.5");
  EXPECT_EQ(command_line.record, v1::RoomParticipantSummary::descriptor());
  EXPECT_EQ(command_line.output, OutputFormat::kCsv);
  EXPECT_EQ(command_line.timeout, absl::Milliseconds(1500));
  EXPECT_EQ(command_line.retries, 5);
  EXPECT_EQ(Parsed("list live X --retries 0").retries, 0);
  EXPECT_EQ(Parsed("list live X --request-id order-66").request_id, "order-66");
  ASSERT_EQ(command_line.fields.size(), 2u);
  EXPECT_EQ(command_line.fields[0].path(), "status");
  EXPECT_EQ(command_line.fields[1].path(), "properties.is_adhoc");
}

TEST(CommandLineTest, ServerIsTakenFromOptionThenEnvironmentThenDefault) {
  ASSERT_EQ(unsetenv("ROLLCALL_SERVER"), 0);
  EXPECT_EQ(Parsed("list room RM1").server, "localhost:50051");
  ASSERT_EQ(setenv("ROLLCALL_SERVER", "rollcall.example:443", 1), 0);
  EXPECT_EQ(Parsed("list room RM1").server, "rollcall.example:443");
  EXPECT_EQ(Parsed("list room RM1 --server [::1]:50051").server, "[::1]:50051");
  ASSERT_EQ(setenv("ROLLCALL_SERVER", "", 1), 0);
  EXPECT_EQ(Parsed("list room RM1").server, "localhost:50051");
  ASSERT_EQ(setenv("ROLLCALL_SERVER", "nonsense", 1), 0);
  EXPECT_THAT(std::get<EarlyExit>(Parse("list room RM1")).err, HasSubstr("HOST:PORT"));
  ASSERT_EQ(unsetenv("ROLLCALL_SERVER"), 0);
}

TEST(CommandLineTest, AcceptsAnyGrpcTarget) {
  for (const char* server : {"unix:/run/rollcall", "dns:///rollcall:50051", "dns:rollcall:50051",
                             "ipv4:127.0.0.1:1", "xds:///rollcall"}) {
    EXPECT_EQ(Parsed(std::string("list room RM1 --server ") + server).server, server);
  }
}

TEST(CommandLineTest, HelpAndVersionAreNotErrors) {
  const EarlyExit version = std::get<EarlyExit>(Parse("--version"));
  EXPECT_EQ(version.exit_code, kExitOk);
  EXPECT_THAT(version.out, StartsWith("rollcall "));
  const EarlyExit help = std::get<EarlyExit>(Parse("list conference --help"));
  EXPECT_EQ(help.exit_code, kExitOk);
  EXPECT_THAT(help.out, HasSubstr("--label"));
  EXPECT_THAT(help.out, HasSubstr("Exit codes"));
  EXPECT_EQ(help.err, "");
}

TEST(CommandLineTest, HelpDocumentsTheSpellingOfEnumValues) {
  for (const char* command :
       {"list conference", "list room", "list live", "get conference", "get room", "get live"}) {
    EXPECT_THAT(std::get<EarlyExit>(Parse(absl::StrCat(command, " --help"))).out,
                HasSubstr("CALL_STATUS_COMPLETED"));
  }
}

// The paths of all fields below `message` that are not messages of this API.
void AddFields(const google::protobuf::Descriptor& message, const std::string& prefix,
               std::vector<std::string>& paths) {
  for (int i = 0; i < message.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *message.field(i);
    const std::string path = prefix + field.name();
    if (field.message_type() != nullptr &&
        field.message_type()->file()->package() == "rollcall.v1") {
      AddFields(*field.message_type(), path + ".", paths);
    } else {
      paths.push_back(path);
    }
  }
}

void AddArguments(const CommandDescription& command, std::set<std::string>& names) {
  for (const OptionDescription& option : command.options) {
    names.insert(option.names.begin(), option.names.end());
  }
  for (const PositionalDescription& positional : command.positionals) {
    names.insert(positional.name);
  }
  for (const CommandDescription& below : command.commands) AddArguments(below, names);
}

// Those without one are a position that only programs have, and a switch that has no invalid value.
TEST(CommandLineTest, EveryRequestFieldButTwoHasAnArgument) {
  std::vector<std::string> paths;
  AddFields(*v1::ListParticipantsRequest::descriptor(), "", paths);
  AddFields(*v1::GetParticipantRequest::descriptor(), "", paths);
  std::set<std::string> names;
  DescribeCommandLine([&names](const CLI::App& app) { AddArguments(DescribeCommand(app), names); });
  for (const std::string& path : paths) {
    if (absl::StartsWith(path, "provider_page.") || path == "omit_resume_tokens") {
      EXPECT_EQ(ArgumentOf(path), "") << path;
    } else {
      EXPECT_EQ(names.count(ArgumentOf(path)), 1u) << path << ": " << ArgumentOf(path);
    }
  }
  EXPECT_EQ(ArgumentOf("nothing"), "");
  EXPECT_EQ(ArgumentOf(""), "");
}

struct Malformed {
  const char* line;
  const char* message;
};

class MalformedCommandLineTest : public ::testing::TestWithParam<Malformed> {};

TEST_P(MalformedCommandLineTest, IsRejectedWithAReason) {
  const std::variant<CommandLine, EarlyExit> parsed = Parse(GetParam().line);
  ASSERT_TRUE(std::holds_alternative<EarlyExit>(parsed)) << GetParam().line;
  const EarlyExit& early_exit = std::get<EarlyExit>(parsed);
  EXPECT_EQ(early_exit.exit_code, kExitUsage);
  EXPECT_EQ(early_exit.out, "");
  EXPECT_THAT(early_exit.err, StartsWith("rollcall: "));
  EXPECT_THAT(early_exit.err, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, MalformedCommandLineTest,
    ::testing::Values(
        Malformed{"list", "A subcommand is required"},
        Malformed{"lits live X", "no command \"lits\""},
        Malformed{"list bogus", "no command \"bogus\""},
        Malformed{"list live", "conference is required"},
        Malformed{"get room RM1", "participant is required"},
        Malformed{"list room RM1 RM2", "not expected: RM2"},
        Malformed{"list room RM1 --label x", "--label"},
        Malformed{"get room RM1 PA1 --limit 1", "--limit"},
        Malformed{"list live X --muted --not-muted", "excludes"},
        Malformed{"list live X --muted=maybe", "--muted: \"maybe\" is not true or false"},
        Malformed{"list live X --not-muted=x", "--not-muted: \"x\" is not true or false"},
        Malformed{"list live X --hold=99999999999999999999", "--hold: "},
        Malformed{"list live X --limit -1", "\"-1\" is not a number"},
        Malformed{"list live X --limit 1e3", "\"1e3\" is not a number"},
        Malformed{"list live X --limit 9223372036854775808", "is not a number"},
        Malformed{"list live X --page-size 2147483648", "is not a number"},
        Malformed{"list live X --page-size -5", "is not a number"},
        Malformed{"list live X --retries -1", "is not a number from 0"},
        Malformed{"list live X --request-id a@b", "is not 1 to 128 letters"},
        Malformed{"list live X --timeout 0", "seconds above 0"},
        Malformed{"list live X --timeout nan", "seconds above 0"},
        Malformed{"list live X --timeout inf", "seconds above 0"},
        Malformed{"list live X --timeout 5s", "seconds above 0"},
        Malformed{"list live X --resume=", "--resume"},
        Malformed{"list live X --output xml", "xml"},
        Malformed{"list live X --server localhost", "not HOST:PORT"},
        Malformed{"list live X --server localhost:0", "not HOST:PORT"},
        Malformed{"list live X --server localhost:99999", "not HOST:PORT"},
        Malformed{"list live X --server :50051", "not HOST:PORT"},
        Malformed{"list live X --server ::1", "in brackets"},
        Malformed{"list live X --server https://x:1", "is a URL"},
        Malformed{"list live X --fields nope", "no field \"nope\" in LiveParticipant"},
        Malformed{"list live X --fields status,", "no field \"\""},
        Malformed{"list live X --fields status.x", "status has no fields"},
        Malformed{"list live X --fields date_created.seconds", "date_created has no fields"},
        Malformed{"list conference X --fields events.mute", "events has no fields"},
        Malformed{"list conference X --fields metrics.inbound.nope", "MediaMetrics has: "}));

std::string WriteFile(const std::string& name, const std::string& text) {
  std::string path = testing::TempDir() + "/command_line_test_" + name;
  std::ofstream(path) << text;
  return path;
}

TEST(CommandLineTest, IsNotEncryptedByDefault) {
  EXPECT_FALSE(Parsed("list room RM1").channel.tls.has_value());
  const CommandLine command_line = Parsed("list room RM1 --tls");
  ASSERT_TRUE(command_line.channel.tls.has_value());
  EXPECT_EQ(command_line.channel.tls->ca_certificates, "");
  EXPECT_EQ(command_line.channel.token, nullptr);
}

TEST(CommandLineTest, ReadsCertificatesAndTokenFromFiles) {
  const Certificate authority = Certificate::Authority();
  const Certificate caller = authority.SignNames("DNS:caller");
  // Followed by the certificate of its issuer.
  const std::string chain = caller.certificate() + authority.certificate();
  const CommandLine command_line = Parsed(absl::StrCat(
      "get room RM1 PA1 --ca-file ", WriteFile("good_ca", authority.certificate()), " --cert ",
      WriteFile("good_cert", chain), " --key ", WriteFile("good_key", caller.key()),
      " --token-file ", WriteFile("good_token", "s3cret\n")));
  ASSERT_TRUE(command_line.channel.tls.has_value());
  EXPECT_EQ(command_line.channel.tls->ca_certificates, authority.certificate());
  EXPECT_EQ(command_line.channel.tls->certificate, chain);
  EXPECT_EQ(command_line.channel.tls->private_key, caller.key());
  ASSERT_NE(command_line.channel.token, nullptr);
  EXPECT_EQ(command_line.channel.token(), "s3cret");
}

TEST(CommandLineTest, RefusesUnusableCredentials) {
  const std::string token = WriteFile("token", "s3cret");
  const auto refusal = [](const std::string& options) -> std::string {
    const auto parsed = Parse("list room RM1 " + options);
    const auto* early_exit = std::get_if<EarlyExit>(&parsed);
    if (early_exit == nullptr) return "";
    EXPECT_EQ(early_exit->exit_code, kExitUsage);
    return early_exit->err;
  };
  EXPECT_THAT(refusal("--token-file " + token), HasSubstr("a token is only sent over TLS"));
  EXPECT_THAT(refusal("--tls --token-file /no/such/file"),
              HasSubstr("cannot read /no/such/file: No such file"));
  EXPECT_THAT(refusal("--tls --token-file " + WriteFile("words", "a b")),
              HasSubstr("does not hold a token"));
  EXPECT_THAT(refusal("--tls --token-file " + WriteFile("empty", "\n")),
              HasSubstr("does not hold a token"));
  EXPECT_THAT(refusal("--cert " + token), HasSubstr("--key"));

  const Certificate authority = Certificate::Authority();
  const std::string certificate = WriteFile("cert", authority.certificate());
  const std::string key = WriteFile("key", authority.key());
  const std::string none = "has no PEM certificate, or a malformed one";
  EXPECT_THAT(refusal("--ca-file " + key),
              AllOf(HasSubstr("--ca-file"), HasSubstr(absl::StrCat(key, " ", none))));
  const std::string half = authority.certificate().substr(0, 200);
  EXPECT_THAT(refusal("--ca-file " + WriteFile("half", half)), HasSubstr(none));
  EXPECT_THAT(refusal("--ca-file " + WriteFile("and_half", authority.certificate() + half)),
              HasSubstr(none));
  EXPECT_THAT(refusal("--cert " + key + " --key " + key),
              AllOf(HasSubstr("--cert"), HasSubstr(none)));
  EXPECT_THAT(refusal("--cert " + certificate + " --key " + certificate),
              AllOf(HasSubstr("--key"), HasSubstr("has no PEM private key")));
  const std::string other = WriteFile("other_key", Certificate::Authority().key());
  EXPECT_THAT(refusal("--cert " + certificate + " --key " + other),
              HasSubstr("does not match the first certificate of --cert"));
}

}  // namespace
}  // namespace rollcall
