#include "client/cli/error_report.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/cli/exit_code.h"
#include "client/cli/terminal_text.h"
#include "google/rpc/error_details.pb.h"
#include "rollcall/call_status.h"

namespace rollcall {
namespace {

constexpr char kDomain[] = "rollcall";

int ExitCode(absl::StatusCode code, absl::string_view reason) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return kExitUsage;
    case absl::StatusCode::kNotFound:
      return kExitNotFound;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return kExitAccessDenied;
    case absl::StatusCode::kResourceExhausted:
      // A configured limit does not go away by waiting.
      return reason == "UPSTREAM_LIMIT_EXCEEDED" ? kExitFailure : kExitTryAgain;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
      return kExitTryAgain;
    case absl::StatusCode::kDeadlineExceeded:
      return kExitDeadline;
    default:
      return kExitFailure;
  }
}

// Whether the other side ended a new connection without a word, by gRPC's message: what it does to
// those who do not encrypt, or whose certificate is missing or not accepted. The message of a call
// that breaks off has no "last error".
bool HungUp(absl::string_view message) {
  return absl::StrContains(message, "last error") &&
         (absl::StrContains(message, "Socket closed") ||
          absl::StrContains(message, "Connection reset") ||
          absl::StrContains(message, "Broken pipe"));
}

// What to do where the service was not reached. Why it was not stands in gRPC's message alone, in
// OpenSSL's words where that refused to go on.
std::string ConnectionAdvice(absl::string_view message, absl::string_view server,
                             const std::optional<ChannelTls>& tls) {
  const bool has_ca_file = tls.has_value() && !tls->ca_certificates.empty();
  const bool has_certificate = tls.has_value() && !tls->certificate.empty();
  if (absl::StrContains(message, "wrong version number")) {
    return absl::StrCat("whoever listens at ", server,
                        " does not use TLS: leave out --tls, --ca-file and --cert, or set another "
                        "--server");
  }
  if (absl::StrContains(message, "certificate verify failed")) {
    return has_ca_file
               ? absl::StrCat("no authority in --ca-file vouches for the certificate of ", server,
                              ", or it has expired")
               : absl::StrCat("no authority of the system's vouches for the certificate of ",
                              server, ", or it has expired; --ca-file names other authorities");
  }
  if (absl::StrContains(message, "is not in peer certificate")) {
    return "the certificate is good, but for another name: set --server to one that is in it";
  }
  // All that gRPC says where it cannot make use of certificates, which are good if they are the
  // caller's own: they were looked at before.
  if (tls.has_value() && !has_ca_file && absl::StrContains(message, "empty address list")) {
    return "this machine may have no authorities of its own; --ca-file names some";
  }
  if (HungUp(message)) {
    absl::string_view wanted = "encryption: add --tls or --ca-file";
    if (has_certificate) {
      wanted = "another certificate than --cert: of an authority that it trusts, and not expired";
    } else if (tls.has_value()) {
      wanted = "a certificate of yours: add --cert and --key";
    }
    return absl::StrCat("whoever listens at ", server, " hung up; it may want ", wanted);
  }
  // Of a name's addresses the message tells of one, which need not be the one that rollcalld has.
  absl::string_view else_missing;
  if (!tls.has_value()) {
    else_missing = "; where it is encrypted, --tls or --ca-file";
  } else if (!has_certificate) {
    else_missing = "; where it asks for certificates, --cert and --key";
  }
  return absl::StrCat("is rollcalld running at ", server, "? Set --server or ROLLCALL_SERVER",
                      else_missing);
}

// What to do about it, or nothing where the message says all.
std::string Advice(const absl::Status& status, absl::string_view reason, absl::string_view server,
                   const std::optional<ChannelTls>& tls) {
  const absl::StatusCode code = status.code();
  if (reason == "UPSTREAM_CREDENTIALS_REJECTED") {
    return "the provider does not accept the credentials that rollcalld has; tell its operator";
  }
  if (reason == "UPSTREAM_RATE_LIMITED") return "try again later, or with fewer calls at a time";
  if (reason == "UPSTREAM_LIMIT_EXCEEDED") return "the limit is set in rollcalld's configuration";
  if (reason == "CALLER_UNAUTHENTICATED") {
    return "show who you are with --token-file, or with --cert and --key";
  }
  if (reason == "CALLER_NOT_PERMITTED") {
    return "rollcalld's policy file says what you may ask for; --fields chooses other fields";
  }
  if (reason == "SERVER_DRAINING") return "this replica is shutting down; try again";
  if (code == absl::StatusCode::kDeadlineExceeded)
    return "allow more time with --timeout, as far as the service does";
  if (!reason.empty()) return code == absl::StatusCode::kUnavailable ? "try again" : "";
  // Without a reason, it was not the service that answered.
  if (code == absl::StatusCode::kUnavailable) {
    return ConnectionAdvice(status.message(), server, tls);
  }
  if (code == absl::StatusCode::kUnimplemented) {
    return absl::StrCat("is it rollcalld that listens at ", server,
                        "? Set --server or ROLLCALL_SERVER");
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

// "1.5s", and nothing for a delay that is none.
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
  // Where it is one of the service's own.
  const std::string reason = info.has_value() && info->domain() == kDomain ? info->reason() : "";
  const absl::StatusCode code = status.code();
  std::string text = absl::StrCat("rollcall: ", absl::StatusCodeToString(code));
  if (!status.message().empty()) {
    absl::StrAppend(&text, ": ", EscapeForTerminal(status.message()));
  }
  text += "\n";
  if (bad_request.has_value()) {
    for (const auto& violation : bad_request->field_violations()) {
      AddLine(text, absl::StrCat("field ", EscapeForTerminal(violation.field())),
              violation.description());
    }
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
  AddLine(text, "hint", Advice(status, reason, server, tls));
  return {text, ExitCode(code, reason)};
}

std::string ResumeOption(absl::string_view resume_token) {
  const bool plain = std::all_of(resume_token.begin(), resume_token.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains("-_.~+/=", absl::string_view(&c, 1));
  });
  // With "=", since a token may begin with a dash.
  if (plain) return absl::StrCat("--resume=", resume_token);
  return absl::StrCat("--resume='",
                      EscapeForTerminal(absl::StrReplaceAll(resume_token, {{"'", "'\\''"}})), "'");
}

}  // namespace rollcall
