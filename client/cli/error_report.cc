#include "client/cli/error_report.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/cli/exit_code.h"
#include "client/cli/field_argument.h"
#include "client/cli/terminal_text.h"
#include "google/rpc/error_details.pb.h"
#include "rollcall/call_status.h"

namespace rollcall {
namespace {

constexpr char kDomain[] = "rollcall";

// `retry` is the service's advice, or empty. It decides for codes that by themselves do not say
// whether to try again.
int ExitCode(absl::StatusCode code, absl::string_view reason, absl::string_view retry) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return kExitUsage;
    case absl::StatusCode::kNotFound:
      return kExitNotFound;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return kExitAccessDenied;
    case absl::StatusCode::kResourceExhausted:
      // Waiting does not change a configured limit.
      return retry == "no" || reason == "UPSTREAM_LIMIT_EXCEEDED" ? kExitFailure : kExitTryAgain;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
      return kExitTryAgain;
    case absl::StatusCode::kDeadlineExceeded:
      return kExitDeadline;
    default:
      return retry == "resume" || retry == "later" ? kExitTryAgain : kExitFailure;
  }
}

// Whether the server closed a new connection without a TLS alert, according to gRPC's message. It
// does so if the client does not encrypt, or if the client's certificate is missing or not
// accepted. If a call breaks off later, gRPC's message has no "last error".
bool ClosedHandshake(absl::string_view message) {
  return absl::StrContains(message, "last error") &&
         (absl::StrContains(message, "Socket closed") ||
          absl::StrContains(message, "Connection reset") ||
          absl::StrContains(message, "Broken pipe"));
}

// Advice if the service was not reached. Only gRPC's message has the reason; for TLS failures it
// quotes OpenSSL.
std::string ConnectionAdvice(absl::string_view message, absl::string_view server,
                             const std::optional<ChannelTls>& tls) {
  const bool has_ca_file = tls.has_value() && !tls->ca_certificates.empty();
  const bool has_certificate = tls.has_value() && !tls->certificate.empty();
  if (absl::StrContains(message, "wrong version number")) {
    return absl::StrCat("the server at ", server,
                        " does not use TLS: remove --tls, --ca-file and --cert, or set another "
                        "--server");
  }
  if (absl::StrContains(message, "certificate verify failed")) {
    return has_ca_file
               ? absl::StrCat("the certificate of ", server,
                              " is not signed by an authority in --ca-file, or has expired")
               : absl::StrCat("the certificate of ", server,
                              " is not signed by an authority of this system, or has expired; "
                              "--ca-file sets other authorities");
  }
  if (absl::StrContains(message, "is not in peer certificate")) {
    return "the certificate is valid, but for another name: set --server to a name in it";
  }
  // gRPC's message if it could not load certificates. The caller's own were checked before, so it
  // must be the system's.
  if (tls.has_value() && !has_ca_file && absl::StrContains(message, "empty address list")) {
    return "this system may have no certificate authorities; --ca-file sets some";
  }
  if (ClosedHandshake(message)) {
    absl::string_view required = "TLS: add --tls or --ca-file";
    if (has_certificate) {
      required = "another certificate than --cert: signed by an authority it trusts, not expired";
    } else if (tls.has_value()) {
      required = "a client certificate: add --cert and --key";
    }
    return absl::StrCat("the server at ", server, " closed the connection; it may require ",
                        required);
  }
  // If the name has several addresses, gRPC's message is about one of them, which need not be
  // rollcalld's.
  absl::string_view may_be_missing;
  if (!tls.has_value()) {
    may_be_missing = "; if it uses TLS, add --tls or --ca-file";
  } else if (!has_certificate) {
    may_be_missing = "; if it requires client certificates, add --cert and --key";
  }
  return absl::StrCat("is rollcalld running at ", server, "? Set --server or ROLLCALL_SERVER",
                      may_be_missing);
}

// What the user can do. Empty if the message says it all.
std::string Advice(const absl::Status& status, absl::string_view reason, absl::string_view retry,
                   absl::string_view server, const std::optional<ChannelTls>& tls) {
  const absl::StatusCode code = status.code();
  if (reason == "UPSTREAM_CREDENTIALS_REJECTED") {
    return "the provider rejects rollcalld's credentials; tell the operator of rollcalld";
  }
  if (reason == "UPSTREAM_RATE_LIMITED") return "try again later, or make fewer calls at a time";
  if (reason == "UPSTREAM_LIMIT_EXCEEDED") return "the limit is set in rollcalld's configuration";
  if (reason == "CALLER_UNAUTHENTICATED") {
    return "authenticate with --token-file, or with --cert and --key";
  }
  if (reason == "CALLER_NOT_PERMITTED") {
    return "rollcalld's policy file defines what you may request; --fields selects other fields";
  }
  if (reason == "SERVER_DRAINING") return "this replica is shutting down; try again";
  if (code == absl::StatusCode::kDeadlineExceeded)
    return "raise --timeout, up to the limit of the service";
  if (retry == "resume") return "try again";
  if (retry == "later") return "try again later";
  if (!reason.empty()) return code == absl::StatusCode::kUnavailable ? "try again" : "";
  // An error without a reason is not the service's.
  if (code == absl::StatusCode::kUnavailable) {
    return ConnectionAdvice(status.message(), server, tls);
  }
  if (code == absl::StatusCode::kUnimplemented) {
    return absl::StrCat("the server at ", server,
                        " may not be rollcalld: set --server or ROLLCALL_SERVER");
  }
  return "";
}

std::string Metadata(const google::rpc::ErrorInfo& info, const std::string& key) {
  const auto found = info.metadata().find(key);
  return found == info.metadata().end() ? "" : found->second;
}

void AddLine(std::string& text, absl::string_view name, absl::string_view value) {
  if (value.empty()) return;
  absl::StrAppend(&text, "  ", name, ": ", EscapeForTerminal(value), "\n");
}

// The problems of a request, by the arguments that set its fields.
std::vector<std::string> ArgumentErrors(const google::rpc::BadRequest& bad_request) {
  std::vector<std::string> errors;
  for (const auto& violation : bad_request.field_violations()) {
    const std::string argument = ArgumentOf(violation.field());
    errors.push_back(absl::StrCat(argument.empty() ? violation.field() : argument, ": ",
                                  violation.description()));
  }
  return errors;
}

// Whether the service's message only lists these problems, by their fields. It may be shortened.
bool Repeats(absl::string_view message, const google::rpc::BadRequest& bad_request) {
  const auto add = [](std::string* list, const auto& violation) {
    absl::StrAppend(list, violation.field(), ": ", violation.description());
  };
  return absl::StartsWith(absl::StrJoin(bad_request.field_violations(), "; ", add), message);
}

void AddInfo(std::string& text, const google::rpc::ErrorInfo& info) {
  AddLine(text, "reason",
          info.domain() == kDomain ? info.reason()
                                   : absl::StrCat(info.reason(), " of ", info.domain()));
  AddLine(text, "upstream", Metadata(info, "upstream"));
  AddLine(text, "HTTP status of the provider", Metadata(info, "http_status"));
  AddLine(text, "provider's error code", Metadata(info, "provider_code"));
  AddLine(text, "provider's request id", Metadata(info, "provider_request_id"));
  AddLine(text, "trace id", Metadata(info, "trace_id"));
}

// For example "1.5s". Empty for a delay of 0.
std::string DelayText(const google::protobuf::Duration& delay) {
  const double seconds =
      static_cast<double>(delay.seconds()) + static_cast<double>(delay.nanos()) / 1e9;
  return seconds > 0 ? absl::StrCat(seconds, "s") : "";
}

}  // namespace

ErrorReport ReportError(const absl::Status& status, absl::string_view server,
                        const std::optional<ChannelTls>& tls) {
  const auto info = StatusDetail<google::rpc::ErrorInfo>(status);
  const auto bad_request = StatusDetail<google::rpc::BadRequest>(status);
  const auto retry = StatusDetail<google::rpc::RetryInfo>(status);
  const auto help = StatusDetail<google::rpc::Help>(status);
  const auto request = StatusDetail<google::rpc::RequestInfo>(status);
  // Empty if the error is not the service's.
  const std::string reason = info.has_value() && info->domain() == kDomain ? info->reason() : "";
  const absl::StatusCode code = status.code();
  const std::string advice = RetryAdvice(status);
  std::string message(status.message());
  std::vector<std::string> argument_errors;
  if (bad_request.has_value()) argument_errors = ArgumentErrors(*bad_request);
  if (!argument_errors.empty() && Repeats(message, *bad_request)) {
    message = absl::StrJoin(argument_errors, "; ");
    argument_errors.clear();
  }
  std::string text = absl::StrCat("rollcall: ", absl::StatusCodeToString(code));
  if (!message.empty()) absl::StrAppend(&text, ": ", EscapeForTerminal(message));
  text += "\n";
  for (const std::string& error : argument_errors) {
    absl::StrAppend(&text, "  ", EscapeForTerminal(error), "\n");
  }
  if (info.has_value()) AddInfo(text, *info);
  if (request.has_value()) AddLine(text, "request id", request->request_id());
  if (retry.has_value()) {
    AddLine(text, "try again in", DelayText(retry->retry_delay()));
  }
  if (help.has_value()) {
    for (const auto& link : help->links()) {
      AddLine(text, "see",
              link.description().empty() ? link.url()
                                         : absl::StrCat(link.url(), " (", link.description(), ")"));
    }
  }
  AddLine(text, "hint", Advice(status, reason, advice, server, tls));
  return {text, ExitCode(code, reason, advice)};
}

std::string ResumeOption(absl::string_view resume_token) {
  const bool plain = std::all_of(resume_token.begin(), resume_token.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains("-_.~+/=", absl::string_view(&c, 1));
  });
  // With "=", because a token may begin with a dash.
  if (plain) return absl::StrCat("--resume=", resume_token);
  return absl::StrCat("--resume='",
                      EscapeForTerminal(absl::StrReplaceAll(resume_token, {{"'", "'\\''"}})), "'");
}

}  // namespace rollcall
