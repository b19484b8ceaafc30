#include "service/error/error.h"

#include <iterator>

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

// What a caller should do, see error_reason.proto.
constexpr absl::string_view kRetry = "retry";
constexpr absl::string_view kResume = "resume";
constexpr absl::string_view kLater = "later";
constexpr absl::string_view kNo = "no";

using Code = absl::StatusCode;

struct ReasonRow {
  v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED;
  Code code = Code::kOk;
  absl::string_view retry;
};

constexpr ReasonRow kReasons[] = {
    {v1::ERROR_REASON_UNSPECIFIED, Code::kUnknown, kNo},
    {v1::ERROR_REASON_INVALID_REQUEST, Code::kInvalidArgument, kNo},
    {v1::ERROR_REASON_UPSTREAM_CREDENTIALS_REJECTED, Code::kInternal, kNo},
    {v1::ERROR_REASON_UPSTREAM_ACCESS_DENIED, Code::kPermissionDenied, kNo},
    {v1::ERROR_REASON_UPSTREAM_FEATURE_DISABLED, Code::kFailedPrecondition, kNo},
    {v1::ERROR_REASON_UPSTREAM_NOT_FOUND, Code::kNotFound, kNo},
    {v1::ERROR_REASON_UPSTREAM_REJECTED_REQUEST, Code::kInvalidArgument, kNo},
    {v1::ERROR_REASON_UPSTREAM_RATE_LIMITED, Code::kResourceExhausted, kLater},
    {v1::ERROR_REASON_UPSTREAM_UNAVAILABLE, Code::kUnavailable, kResume},
    {v1::ERROR_REASON_UPSTREAM_UNREACHABLE, Code::kUnavailable, kResume},
    {v1::ERROR_REASON_UPSTREAM_TIMEOUT, Code::kUnavailable, kResume},
    {v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE, Code::kInternal, kNo},
    {v1::ERROR_REASON_UPSTREAM_BAD_NEXT_LINK, Code::kInternal, kNo},
    {v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED, Code::kResourceExhausted, kNo},
    {v1::ERROR_REASON_UPSTREAM_UNRECOGNIZED_VALUE, Code::kInternal, kNo},
    {v1::ERROR_REASON_SERVER_DRAINING, Code::kUnavailable, kResume},
    {v1::ERROR_REASON_UPSTREAM_LIST_CHANGED, Code::kAborted, kNo},
    {v1::ERROR_REASON_UPSTREAM_PAGE_EXPIRED, Code::kAborted, kNo},
    {v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN, Code::kUnavailable, kLater},
    {v1::ERROR_REASON_UPSTREAM_QUEUE_FULL, Code::kResourceExhausted, kLater},
    {v1::ERROR_REASON_SERVER_OVERLOADED, Code::kResourceExhausted, kLater},
    {v1::ERROR_REASON_DEADLINE_EXCEEDED, Code::kDeadlineExceeded, kResume},
    {v1::ERROR_REASON_UPSTREAM_NOT_TRUSTED, Code::kInternal, kNo},
    {v1::ERROR_REASON_CALLER_UNAUTHENTICATED, Code::kUnauthenticated, kNo},
    {v1::ERROR_REASON_CALLER_NOT_PERMITTED, Code::kPermissionDenied, kNo},
    {v1::ERROR_REASON_CALLER_LIMIT, Code::kResourceExhausted, kLater},
    {v1::ERROR_REASON_CALLER_TOO_SLOW, Code::kResourceExhausted, kResume},
    {v1::ERROR_REASON_RESUME_TOKEN_UNSUPPORTED, Code::kUnavailable, kResume},
};

constexpr bool HasOneRowPerReason() {
  if (std::size(kReasons) != static_cast<size_t>(v1::ErrorReason_ARRAYSIZE)) return false;
  for (size_t i = 0; i < std::size(kReasons); ++i) {
    const ReasonRow& row = kReasons[i];
    if (static_cast<size_t>(row.reason) != i || row.code == Code::kOk || row.retry.empty()) {
      return false;
    }
  }
  return true;
}
static_assert(HasOneRowPerReason(), "every ErrorReason needs a row, in the order of the numbers");

const ReasonRow& RowOf(v1::ErrorReason reason) {
  const auto number = static_cast<size_t>(reason);
  return kReasons[number < std::size(kReasons) ? number : 0];
}

}  // namespace

absl::Status MakeError(v1::ErrorReason reason, absl::string_view message,
                       const ErrorMetadata& metadata) {
  const ReasonRow& row = RowOf(reason);
  absl::Status status(row.code, message);
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(absl::StripPrefix(v1::ErrorReason_Name(reason), kReasonPrefix)));
  info.set_domain(std::string(kErrorDomain));
  Add(info, metadata);
  (*info.mutable_metadata())[std::string(kRetry)] = std::string(row.retry);
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

void RequestViolations::Enter(absl::string_view field) { absl::StrAppend(&prefix_, field, "."); }

void RequestViolations::Add(absl::string_view field, absl::string_view description) {
  if (violations_.size() == kMaxViolations) return;
  violations_.emplace_back(absl::StrCat(prefix_, field),
                           std::string(Shortened(description, kMaxText)));
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
