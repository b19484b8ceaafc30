#include "client/cli/error_report.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/cli/exit_code.h"
#include "client/cli/terminal_text.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace rollcall {
namespace {

constexpr char kDomain[] = "rollcall";

// The details of an error, each where it was sent.
struct Details {
  std::optional<google::rpc::ErrorInfo> info;
  std::optional<google::rpc::BadRequest> bad_request;
  std::optional<google::rpc::RetryInfo> retry;
  std::optional<google::rpc::Help> help;
  std::optional<google::rpc::RequestInfo> request;

  // The reason, where it is one of the service's own.
  absl::string_view reason() const {
    if (!info.has_value() || info->domain() != kDomain) return "";
    return info->reason();
  }
};

template <typename Detail>
void Unpack(const google::protobuf::Any& any, std::optional<Detail>& detail) {
  if (!any.Is<Detail>()) return;
  Detail unpacked;
  if (any.UnpackTo(&unpacked)) detail = unpacked;
}

Details DetailsOf(const grpc::Status& status) {
  Details details;
  google::rpc::Status rich;
  if (!rich.ParseFromString(status.error_details())) return details;
  for (const google::protobuf::Any& any : rich.details()) {
    Unpack(any, details.info);
    Unpack(any, details.bad_request);
    Unpack(any, details.retry);
    Unpack(any, details.help);
    Unpack(any, details.request);
  }
  return details;
}

absl::string_view CodeName(grpc::StatusCode code) {
  switch (code) {
    case grpc::OK:
      return "OK";
    case grpc::CANCELLED:
      return "CANCELLED";
    case grpc::INVALID_ARGUMENT:
      return "INVALID_ARGUMENT";
    case grpc::DEADLINE_EXCEEDED:
      return "DEADLINE_EXCEEDED";
    case grpc::NOT_FOUND:
      return "NOT_FOUND";
    case grpc::ALREADY_EXISTS:
      return "ALREADY_EXISTS";
    case grpc::PERMISSION_DENIED:
      return "PERMISSION_DENIED";
    case grpc::RESOURCE_EXHAUSTED:
      return "RESOURCE_EXHAUSTED";
    case grpc::FAILED_PRECONDITION:
      return "FAILED_PRECONDITION";
    case grpc::ABORTED:
      return "ABORTED";
    case grpc::OUT_OF_RANGE:
      return "OUT_OF_RANGE";
    case grpc::UNIMPLEMENTED:
      return "UNIMPLEMENTED";
    case grpc::INTERNAL:
      return "INTERNAL";
    case grpc::UNAVAILABLE:
      return "UNAVAILABLE";
    case grpc::DATA_LOSS:
      return "DATA_LOSS";
    case grpc::UNAUTHENTICATED:
      return "UNAUTHENTICATED";
    default:
      return "UNKNOWN";
  }
}

int ExitCode(grpc::StatusCode code, absl::string_view reason) {
  switch (code) {
    case grpc::INVALID_ARGUMENT:
      return kExitUsage;
    case grpc::NOT_FOUND:
      return kExitNotFound;
    case grpc::PERMISSION_DENIED:
    case grpc::UNAUTHENTICATED:
      return kExitAccessDenied;
    case grpc::RESOURCE_EXHAUSTED:
      // A configured limit does not go away by waiting.
      return reason == "UPSTREAM_LIMIT_EXCEEDED" ? kExitFailure : kExitTryAgain;
    case grpc::UNAVAILABLE:
    case grpc::ABORTED:
      return kExitTryAgain;
    case grpc::DEADLINE_EXCEEDED:
      return kExitDeadline;
    default:
      return kExitFailure;
  }
}

// What to do about it, or nothing where the message says all.
std::string Advice(grpc::StatusCode code, absl::string_view reason, absl::string_view server) {
  if (reason == "UPSTREAM_CREDENTIALS_REJECTED") {
    return "the provider does not accept the credentials that rollcalld has; tell its operator";
  }
  if (reason == "UPSTREAM_RATE_LIMITED") return "try again later, or with fewer calls at a time";
  if (reason == "UPSTREAM_LIMIT_EXCEEDED") return "the limit is set in rollcalld's configuration";
  if (reason == "SERVER_DRAINING") return "this replica is shutting down; try again";
  if (code == grpc::DEADLINE_EXCEEDED) return "allow more time with --timeout";
  if (!reason.empty()) return code == grpc::UNAVAILABLE ? "try again" : "";
  // Without a reason, it was not the service that answered.
  if (code == grpc::UNAVAILABLE) {
    return absl::StrCat("is rollcalld running at ", server, "? Set --server or ROLLCALL_SERVER");
  }
  if (code == grpc::UNIMPLEMENTED) {
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
}

// "1.5s", and nothing for a delay that is none.
std::string DelayText(const google::protobuf::Duration& delay) {
  const double seconds =
      static_cast<double>(delay.seconds()) + static_cast<double>(delay.nanos()) / 1e9;
  return seconds > 0 ? absl::StrCat(seconds, "s") : "";
}

}  // namespace

ErrorReport ReportError(const grpc::Status& status, absl::string_view server) {
  const Details details = DetailsOf(status);
  const grpc::StatusCode code = status.error_code();
  std::string text = absl::StrCat("rollcall: ", CodeName(code));
  if (!status.error_message().empty()) {
    absl::StrAppend(&text, ": ", EscapeForTerminal(status.error_message()));
  }
  text += "\n";
  if (details.bad_request.has_value()) {
    for (const auto& violation : details.bad_request->field_violations()) {
      AddLine(text, absl::StrCat("field ", EscapeForTerminal(violation.field())),
              violation.description());
    }
  }
  if (details.info.has_value()) AddInfo(text, *details.info);
  // The service gives the provider's request id, which was told above, in both details.
  if (details.request.has_value() &&
      details.request->request_id() !=
          Metadata(details.info.value_or(google::rpc::ErrorInfo()), "provider_request_id")) {
    AddLine(text, "request id", details.request->request_id());
  }
  if (details.retry.has_value()) {
    AddLine(text, "try again in", DelayText(details.retry->retry_delay()));
  }
  if (details.help.has_value()) {
    for (const auto& link : details.help->links()) {
      AddLine(text, "see",
              link.description().empty() ? link.url()
                                         : absl::StrCat(link.url(), " (", link.description(), ")"));
    }
  }
  AddLine(text, "hint", Advice(code, details.reason(), server));
  return {text, ExitCode(code, details.reason())};
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
