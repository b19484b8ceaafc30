#include "service/error/error.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/util/time_util.h"
#include "google/rpc/error_details.pb.h"

namespace rollcall::service {
namespace {

// Limits for one request, so that all violations fit into an error's details.
constexpr size_t kMaxViolations = 8;
constexpr size_t kMaxText = 160;

constexpr absl::string_view kReasonPrefix = "ERROR_REASON_";

google::rpc::ErrorInfo InfoOf(const absl::Status& status) {
  return ErrorDetail<google::rpc::ErrorInfo>(status).value_or(google::rpc::ErrorInfo());
}

void Add(google::rpc::ErrorInfo& info, const ErrorMetadata& metadata) {
  for (const auto& [key, value] : metadata) {
    if (!value.empty()) (*info.mutable_metadata())[key] = value;
  }
}

absl::StatusCode CodeOf(v1::ErrorReason reason) {
  switch (reason) {
    case v1::ERROR_REASON_INVALID_REQUEST:
    case v1::ERROR_REASON_UPSTREAM_REJECTED_REQUEST:
      return absl::StatusCode::kInvalidArgument;
    case v1::ERROR_REASON_CALLER_UNAUTHENTICATED:
      return absl::StatusCode::kUnauthenticated;
    case v1::ERROR_REASON_UPSTREAM_ACCESS_DENIED:
    case v1::ERROR_REASON_CALLER_NOT_PERMITTED:
      return absl::StatusCode::kPermissionDenied;
    case v1::ERROR_REASON_UPSTREAM_FEATURE_DISABLED:
      return absl::StatusCode::kFailedPrecondition;
    case v1::ERROR_REASON_UPSTREAM_NOT_FOUND:
      return absl::StatusCode::kNotFound;
    case v1::ERROR_REASON_UPSTREAM_RATE_LIMITED:
    case v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED:
    case v1::ERROR_REASON_UPSTREAM_QUEUE_FULL:
    case v1::ERROR_REASON_SERVER_OVERLOADED:
    case v1::ERROR_REASON_CALLER_LIMIT:
    case v1::ERROR_REASON_CALLER_TOO_SLOW:
      return absl::StatusCode::kResourceExhausted;
    case v1::ERROR_REASON_UPSTREAM_UNAVAILABLE:
    case v1::ERROR_REASON_UPSTREAM_UNREACHABLE:
    case v1::ERROR_REASON_UPSTREAM_TIMEOUT:
    case v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN:
    case v1::ERROR_REASON_SERVER_DRAINING:
      return absl::StatusCode::kUnavailable;
    case v1::ERROR_REASON_DEADLINE_EXCEEDED:
      return absl::StatusCode::kDeadlineExceeded;
    case v1::ERROR_REASON_UPSTREAM_LIST_CHANGED:
    case v1::ERROR_REASON_UPSTREAM_PAGE_EXPIRED:
      return absl::StatusCode::kAborted;
    case v1::ERROR_REASON_UPSTREAM_CREDENTIALS_REJECTED:
    case v1::ERROR_REASON_UPSTREAM_NOT_TRUSTED:
    case v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE:
    case v1::ERROR_REASON_UPSTREAM_BAD_NEXT_LINK:
    case v1::ERROR_REASON_UPSTREAM_UNRECOGNIZED_VALUE:
      return absl::StatusCode::kInternal;
    default:
      return absl::StatusCode::kUnknown;
  }
}

}  // namespace

absl::Status MakeError(v1::ErrorReason reason, absl::string_view message,
                       const ErrorMetadata& metadata) {
  absl::Status status(CodeOf(reason), message);
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(absl::StripPrefix(v1::ErrorReason_Name(reason), kReasonPrefix)));
  info.set_domain(std::string(kErrorDomain));
  Add(info, metadata);
  AddErrorDetail(status, info);
  return status;
}

std::string DetailTypeUrl(const google::protobuf::Message& detail) {
  return absl::StrCat("type.googleapis.com/", detail.GetDescriptor()->full_name());
}

absl::Status WithMessage(const absl::Status& status, absl::string_view message) {
  absl::Status changed(status.code(), message);
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
    changed.SetPayload(type, payload);
  });
  return changed;
}

void AddErrorDetail(absl::Status& status, const google::protobuf::Message& detail) {
  status.SetPayload(DetailTypeUrl(detail), absl::Cord(detail.SerializeAsString()));
}

void AddRetryInfo(absl::Status& status, std::chrono::milliseconds delay) {
  google::rpc::RetryInfo retry;
  *retry.mutable_retry_delay() =
      google::protobuf::util::TimeUtil::MillisecondsToDuration(delay.count());
  AddErrorDetail(status, retry);
}

std::optional<std::chrono::milliseconds> RetryDelayOf(const absl::Status& status) {
  const auto retry = ErrorDetail<google::rpc::RetryInfo>(status);
  if (!retry) return std::nullopt;
  return std::chrono::milliseconds(
      google::protobuf::util::TimeUtil::DurationToMilliseconds(retry->retry_delay()));
}

void AddErrorMetadata(absl::Status& status, const ErrorMetadata& metadata) {
  google::rpc::ErrorInfo info = InfoOf(status);
  if (info.reason().empty()) return;
  Add(info, metadata);
  AddErrorDetail(status, info);
}

v1::ErrorReason ReasonOf(const absl::Status& status) {
  v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED;
  v1::ErrorReason_Parse(absl::StrCat(kReasonPrefix, InfoOf(status).reason()), &reason);
  return reason;
}

absl::string_view Shortened(absl::string_view text, size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

void RequestViolations::Add(absl::string_view field, absl::string_view description) {
  if (violations_.size() == kMaxViolations) return;
  violations_.emplace_back(std::string(field), std::string(Shortened(description, kMaxText)));
}

absl::Status RequestViolations::ToStatus() const {
  if (violations_.empty()) return absl::OkStatus();
  std::string message;
  google::rpc::BadRequest details;
  for (const auto& [field, description] : violations_) {
    absl::StrAppend(&message, message.empty() ? "" : "; ", field, ": ", description);
    auto* violation = details.add_field_violations();
    violation->set_field(field);
    violation->set_description(description);
  }
  absl::Status status = MakeError(v1::ERROR_REASON_INVALID_REQUEST, message);
  AddErrorDetail(status, details);
  return status;
}

}  // namespace rollcall::service
