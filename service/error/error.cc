#include "service/error/error.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/rpc/error_details.pb.h"

namespace rollcall {
namespace {

constexpr absl::string_view kReasonPrefix = "ERROR_REASON_";

// The payload keys of absl::Status are the type URLs of google.protobuf.Any.
std::string TypeUrl(const google::protobuf::Message& message) {
  return absl::StrCat("type.googleapis.com/", message.GetDescriptor()->full_name());
}

google::rpc::ErrorInfo InfoOf(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  if (auto payload = status.GetPayload(TypeUrl(info))) {
    info.ParseFromString(std::string(*payload));
  }
  return info;
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
    case v1::ERROR_REASON_UPSTREAM_ACCESS_DENIED:
      return absl::StatusCode::kPermissionDenied;
    case v1::ERROR_REASON_UPSTREAM_FEATURE_DISABLED:
      return absl::StatusCode::kFailedPrecondition;
    case v1::ERROR_REASON_UPSTREAM_NOT_FOUND:
      return absl::StatusCode::kNotFound;
    case v1::ERROR_REASON_UPSTREAM_RATE_LIMITED:
    case v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED:
      return absl::StatusCode::kResourceExhausted;
    case v1::ERROR_REASON_UPSTREAM_UNAVAILABLE:
    case v1::ERROR_REASON_UPSTREAM_UNREACHABLE:
    case v1::ERROR_REASON_UPSTREAM_TIMEOUT:
    case v1::ERROR_REASON_SERVER_DRAINING:
      return absl::StatusCode::kUnavailable;
    case v1::ERROR_REASON_UPSTREAM_CREDENTIALS_REJECTED:
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

void AddErrorDetail(absl::Status& status, const google::protobuf::Message& detail) {
  status.SetPayload(TypeUrl(detail), absl::Cord(detail.SerializeAsString()));
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

void RequestViolations::Add(absl::string_view field, absl::string_view description) {
  violations_.emplace_back(std::string(field), std::string(description));
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

}  // namespace rollcall
