// The command-line client against the real service.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "client/cli/exit_code.h"
#include "tests/client/run_command.h"
#include "tests/end_to_end/access.h"

namespace rollcall {
namespace {

using ::testing::HasSubstr;

class CommandLineClientTest : public CallerAccessTest {
 protected:
  // Starts rollcalld for one caller, with or without access to personal data.
  void StartForCaller(bool pii) {
    constexpr char kTokenSha256[] =
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    Write("token", "abc");
    const nlohmann::json caller = {{"name", "caller"},
                                   {"token_sha256", {kTokenSha256}},
                                   {"upstreams", "all"},
                                   {"lists", "all"},
                                   {"pii", pii}};
    Write("policy.json", nlohmann::json{{"callers", {caller}}}.dump());
    // A certificate for the address, so that no name is resolved.
    const Certificate server = authority_.SignNames("IP:127.0.0.1");
    Write("server.pem", server.certificate());
    Write("server.key", server.key());
    StartDaemon({{"tls", Tls()}, {"policy_file", PathOf("policy.json")}});
  }

  // Runs the command as that caller.
  Result Run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--server", daemon_->address(), "--ca-file",
                                       PathOf("ca.pem"), "--token-file", PathOf("token")});
    return RunCaptured(arguments);
  }
};

TEST_F(CommandLineClientTest, TableOmitsPersonalColumnsForCallersWithoutAccess) {
  struct Case {
    std::vector<std::string> list;
    std::string personal;  // A column of the table.
  };
  constexpr int kSize = 20;
  const std::vector<Case> cases = {
      {{"list", "conference", simulator::ListSid({simulator::Api::kVoiceInsights, kSize})},
       "label"},
      {{"list", "room", simulator::ListSid({simulator::Api::kVideoInsights, kSize})},
       "participant_identity"},
      {{"list", "live", simulator::ListSid({simulator::Api::kTwilioCore, kSize}), "--upstream",
        "twilio"},
       "label"}};
  const auto table = [this](const Case& listed) {
    std::vector<std::string> arguments = listed.list;
    arguments.insert(arguments.end(), {"--output", "table"});
    const Result result = Run(arguments);
    EXPECT_EQ(result.exit_code, kExitOk) << result.err;
    return std::vector<std::string>(absl::StrSplit(result.out, '\n', absl::SkipEmpty()));
  };
  std::vector<std::vector<std::string>> whole;
  StartForCaller(/*pii=*/true);
  for (const Case& listed : cases) whole.push_back(table(listed));

  StartForCaller(/*pii=*/false);
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::vector<std::string> rows = table(cases[i]);
    ASSERT_EQ(rows.size(), 1u + kSize);
    EXPECT_EQ(rows[0], whole[i][0]);
    EXPECT_NE(rows, whole[i]);
    // Requesting the field by name is an error.
    std::vector<std::string> named = cases[i].list;
    named.insert(named.end(), {"--output", "table", "--fields", cases[i].personal});
    const Result refused = Run(named);
    EXPECT_EQ(refused.exit_code, kExitAccessDenied);
    EXPECT_THAT(refused.err, HasSubstr(cases[i].personal));
  }
}

TEST_F(CommandLineClientTest, ArgumentErrorsAreReportedOnceByTheirArguments) {
  StartForCaller(/*pii=*/true);
  const auto first_lines = [this](const std::string& line) {
    const Result result = Run(absl::StrSplit(line, ' '));
    EXPECT_EQ(result.exit_code, kExitUsage) << line;
    return result.err.substr(0, result.err.find("  trace id: "));
  };
  EXPECT_EQ(first_lines("list live CF00000000000000000000000000000001"),
            "rollcall: INVALID_ARGUMENT: --upstream: is required, because more than one serves "
            "this: \"twilio\", \"signalwire\"\n"
            "  reason: INVALID_REQUEST\n");
  EXPECT_EQ(first_lines("list conference CF1 --participant CP1"),
            "rollcall: INVALID_ARGUMENT: conference: must be \"CF\" and 32 hexadecimal digits; "
            "--participant: must be \"CP\" and 32 hexadecimal digits\n"
            "  reason: INVALID_REQUEST\n");
}

}  // namespace
}  // namespace rollcall
