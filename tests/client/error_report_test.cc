#include "client/cli/error_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/exit_code.h"
#include "rollcall/call_status.h"
#include "tests/client/fake_server.h"

namespace rollcall {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kServer[] = "rollcall.example:50051";

ErrorReport ReportError(const grpc::Status& status, absl::string_view server,
                        const std::optional<ChannelTls>& tls = std::nullopt) {
  return rollcall::ReportError(ToAbslStatus(status), server, tls);
}

TEST(ErrorReportTest, ShowsAllDetails) {
  google::rpc::ErrorInfo info = MakeErrorInfo("UPSTREAM_RATE_LIMITED");
  (*info.mutable_metadata())["upstream"] = "voice";
  (*info.mutable_metadata())["http_status"] = "429";
  (*info.mutable_metadata())["provider_code"] = "20429";
  (*info.mutable_metadata())["provider_request_id"] = "RQ1";
  (*info.mutable_metadata())["trace_id"] = "4bf92f3577b34da6a3ce929d0e0e4736";
  (*info.mutable_metadata())["label"] = "Jane Roe";
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(5);
  google::rpc::Help help;
  help.add_links()->set_url("https://example.com/20429");
  help.mutable_links(0)->set_description("too many requests");
  google::rpc::RequestInfo request;
  request.set_request_id("abc");
  const ErrorReport report =
      ReportError(RichStatus(grpc::RESOURCE_EXHAUSTED, "the provider answers too many requests",
                             info, retry, help, request),
                  kServer);
  EXPECT_EQ(report.text,
            "rollcall: RESOURCE_EXHAUSTED: the provider answers too many requests\n"
            "  reason: UPSTREAM_RATE_LIMITED\n"
            "  upstream: voice\n"
            "  HTTP status of the provider: 429\n"
            "  provider's error code: 20429\n"
            "  provider's request id: RQ1\n"
            "  trace id: 4bf92f3577b34da6a3ce929d0e0e4736\n"
            "  request id: abc\n"
            "  try again in: 5s\n"
            "  see: https://example.com/20429 (too many requests)\n"
            "  hint: try again later, or make fewer calls at a time\n");
  EXPECT_EQ(report.exit_code, kExitTryAgain);
}

google::rpc::BadRequest MakeBadRequest(
    const std::vector<std::pair<std::string, std::string>>& violations) {
  google::rpc::BadRequest bad_request;
  for (const auto& [field, description] : violations) {
    auto& violation = *bad_request.add_field_violations();
    violation.set_field(field);
    violation.set_description(description);
  }
  return bad_request;
}

TEST(ErrorReportTest, NamesTheArgumentsOfABadRequestOnce) {
  const google::rpc::BadRequest bad_request =
      MakeBadRequest({{"upstream", "is required: \"a\", \"b\""},
                      {"live_participants.conference_sid", "must be a UUID"},
                      {"provider_page.page", "must not be negative"}});
  const std::string message =
      "upstream: is required: \"a\", \"b\"; live_participants.conference_sid: must be a UUID; "
      "provider_page.page: must not be negative";
  const std::string expected =
      "rollcall: INVALID_ARGUMENT: --upstream: is required: \"a\", \"b\"; conference: must be a "
      "UUID; provider_page.page: must not be negative\n"
      "  reason: INVALID_REQUEST\n";
  // The service shortens long messages.
  for (const std::string& sent : {message, message.substr(0, 30), std::string()}) {
    const ErrorReport report = ReportError(
        RichStatus(grpc::INVALID_ARGUMENT, sent, bad_request, MakeErrorInfo("INVALID_REQUEST")),
        kServer);
    EXPECT_EQ(report.text, expected);
    EXPECT_EQ(report.exit_code, kExitUsage);
  }
}

TEST(ErrorReportTest, KeepsAMessageThatSaysMoreThanItsFields) {
  const ErrorReport report = ReportError(
      RichStatus(grpc::INVALID_ARGUMENT, "invalid request",
                 MakeBadRequest({{"limit", "must not be negative"}, {"new_field", "bad"}}),
                 MakeErrorInfo("INVALID_REQUEST")),
      kServer);
  EXPECT_EQ(report.text,
            "rollcall: INVALID_ARGUMENT: invalid request\n"
            "  --limit: must not be negative\n"
            "  new_field: bad\n"
            "  reason: INVALID_REQUEST\n");
}

// For reasons that this client does not know.
TEST(ErrorReportTest, AdviceOfTheServiceDecidesHintAndExitCode) {
  struct Case {
    grpc::StatusCode code;
    const char* retry;
    const char* hint;  // Empty: none.
    int exit_code;
  };
  for (const Case& advice :
       {Case{grpc::INTERNAL, "resume", "try again", kExitTryAgain},
        Case{grpc::INTERNAL, "later", "try again later", kExitTryAgain},
        Case{grpc::INTERNAL, "no", "", kExitFailure},
        Case{grpc::INTERNAL, "hedge", "", kExitFailure},
        Case{grpc::RESOURCE_EXHAUSTED, "later", "try again later", kExitTryAgain},
        Case{grpc::RESOURCE_EXHAUSTED, "no", "", kExitFailure},
        Case{grpc::RESOURCE_EXHAUSTED, "hedge", "", kExitTryAgain},
        Case{grpc::UNAVAILABLE, "resume", "try again", kExitTryAgain},
        Case{grpc::UNAVAILABLE, "hedge", "try again", kExitTryAgain},
        Case{grpc::INVALID_ARGUMENT, "no", "", kExitUsage},
        Case{grpc::ABORTED, "no", "", kExitTryAgain}}) {
    google::rpc::ErrorInfo info = MakeErrorInfo("NOT_INVENTED_YET");
    (*info.mutable_metadata())["retry"] = advice.retry;
    const ErrorReport report = ReportError(RichStatus(advice.code, "failed", info), kServer);
    const std::string hint =
        *advice.hint == '\0' ? "" : absl::StrCat("  hint: ", advice.hint, "\n");
    EXPECT_THAT(report.text, EndsWith("  reason: NOT_INVENTED_YET\n" + hint)) << advice.retry;
    EXPECT_EQ(report.exit_code, advice.exit_code) << report.text << advice.retry;
  }
}

TEST(ErrorReportTest, DoubtsTheAddressOnlyIfTheErrorIsNotTheServices) {
  const ErrorReport refused = ReportError(grpc::Status(grpc::UNAVAILABLE, "refused"), kServer);
  EXPECT_THAT(refused.text, HasSubstr("is rollcalld running at rollcall.example:50051?"));
  EXPECT_EQ(refused.exit_code, kExitTryAgain);
  const ErrorReport draining = ReportError(
      RichStatus(grpc::UNAVAILABLE, "shutting down", MakeErrorInfo("SERVER_DRAINING")), kServer);
  EXPECT_THAT(draining.text, Not(HasSubstr("is rollcalld running")));
  EXPECT_THAT(draining.text, HasSubstr("try again"));
  EXPECT_THAT(ReportError(grpc::Status(grpc::UNIMPLEMENTED, ""), kServer).text,
              HasSubstr("the server at rollcall.example:50051 may not be rollcalld"));
}

// TlsCommandTest has gRPC's other messages for connections that fail.
TEST(ErrorReportTest, HintsDependOnTheOptionsGiven) {
  const auto hint = [](const std::string& message, const std::optional<ChannelTls>& tls) {
    const std::string text =
        ReportError(grpc::Status(grpc::UNAVAILABLE, message), kServer, tls).text;
    return text.substr(text.find("hint: "));
  };
  const ChannelTls plain_tls;
  const std::string refused = "last error: UNKNOWN: Connection refused";
  EXPECT_THAT(hint(refused, std::nullopt), HasSubstr("--tls or --ca-file"));
  EXPECT_THAT(hint(refused, plain_tls), HasSubstr("is rollcalld running at"));
  EXPECT_THAT(hint(refused, plain_tls), Not(HasSubstr("--tls")));
  EXPECT_THAT(hint(refused, plain_tls), HasSubstr("--cert and --key"));
  ChannelTls with_certificate;
  with_certificate.certificate = "a certificate";
  EXPECT_THAT(hint(refused, with_certificate), Not(HasSubstr("--cert")));
  const std::string untrusted = "SSL routines::certificate verify failed";
  EXPECT_THAT(hint(untrusted, plain_tls), HasSubstr("--ca-file sets other authorities"));
  EXPECT_THAT(hint("empty address list: ", plain_tls), HasSubstr("--ca-file sets some"));
  for (const char* end : {"Socket closed", "recvmsg:Connection reset by peer", "Broken pipe"}) {
    const std::string closed = absl::StrCat("last error: UNAVAILABLE: ", end);
    EXPECT_THAT(hint(closed, plain_tls), HasSubstr("add --cert and --key"));
    // The message of a call that broke off after connecting.
    EXPECT_THAT(hint(end, plain_tls), HasSubstr("is rollcalld running at"));
  }
}

TEST(ErrorReportTest, EscapesAllTextOfTheService) {
  google::rpc::ErrorInfo info = MakeErrorInfo("\x1b[31m");
  info.set_domain("evil\n");
  (*info.mutable_metadata())["upstream"] = "\x1b]0;";
  google::rpc::BadRequest bad_request;
  bad_request.add_field_violations()->set_field("f\r");
  bad_request.mutable_field_violations(0)->set_description("d\x08");
  google::rpc::Help help;
  help.add_links()->set_url("\x1b[1m");
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(INT64_MAX);
  const ErrorReport report = ReportError(
      RichStatus(grpc::INTERNAL, "m\x1b[2J\n", info, bad_request, help, retry), kServer);
  for (const char c : report.text) EXPECT_TRUE(c == '\n' || (c >= ' ' && c != '\x7f'));
  EXPECT_THAT(report.text, HasSubstr("rollcall: INTERNAL: m\\x1b[2J\\n\n"));
  EXPECT_THAT(report.text, HasSubstr("reason: \\x1b[31m of evil\\n\n"));
}

TEST(ErrorReportTest, MalformedDetailsAreOmitted) {
  const ErrorReport report =
      ReportError(grpc::Status(grpc::INTERNAL, "broken", "\xff\xff not protobuf"), kServer);
  EXPECT_EQ(report.text, "rollcall: INTERNAL: broken\n");
}

TEST(ErrorReportTest, ExitCodes) {
  const auto exit_code = [](grpc::StatusCode code) {
    return ReportError(grpc::Status(code, ""), kServer).exit_code;
  };
  EXPECT_EQ(exit_code(grpc::INVALID_ARGUMENT), 2);
  EXPECT_EQ(exit_code(grpc::NOT_FOUND), 3);
  EXPECT_EQ(exit_code(grpc::PERMISSION_DENIED), 4);
  EXPECT_EQ(exit_code(grpc::UNAUTHENTICATED), 4);
  EXPECT_EQ(exit_code(grpc::UNAVAILABLE), 5);
  EXPECT_EQ(exit_code(grpc::ABORTED), 5);
  EXPECT_EQ(exit_code(grpc::RESOURCE_EXHAUSTED), 5);
  EXPECT_EQ(exit_code(grpc::DEADLINE_EXCEEDED), 6);
  EXPECT_EQ(exit_code(grpc::INTERNAL), 1);
  EXPECT_EQ(exit_code(grpc::FAILED_PRECONDITION), 1);
  // Waiting does not change a configured limit.
  EXPECT_EQ(ReportError(
                RichStatus(grpc::RESOURCE_EXHAUSTED, "", MakeErrorInfo("UPSTREAM_LIMIT_EXCEEDED")),
                kServer)
                .exit_code,
            1);
}

TEST(ResumeOptionTest, IsQuotedForTheShell) {
  EXPECT_EQ(ResumeOption("-aZ_9=="), "--resume=-aZ_9==");
  EXPECT_EQ(ResumeOption("a b"), "--resume='a b'");
  EXPECT_EQ(ResumeOption("a'$(x)"), "--resume='a'\\''$(x)'");
}

}  // namespace
}  // namespace rollcall
