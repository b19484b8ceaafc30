// Errors as values: each failure in the service is an absl::Status made here from an ErrorReason,
// with google.rpc details as payloads. One table maps reasons to canonical codes and to what a
// caller should do (`retry`). rpc/ converts the status to gRPC's form once, at the edge.
// Thread-safe.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "rollcall/v1/error_reason.pb.h"

namespace rollcall::service {

// The `domain` of every google.rpc.ErrorInfo that the service sends.
inline constexpr absl::string_view kErrorDomain = "rollcall";

// Machine-readable facts of an error: the metadata of its google.rpc.ErrorInfo.
using ErrorMetadata = std::vector<std::pair<std::string, std::string>>;

// A status with the canonical code of `reason` and a google.rpc.ErrorInfo, whose metadata also has
// `retry`. `message` is for people and must contain neither personal data nor credentials.
absl::Status MakeError(v1::ErrorReason reason, absl::string_view message,
                       const ErrorMetadata& metadata = {});

// The same status, with the same details and another message.
absl::Status WithMessage(const absl::Status& status, absl::string_view message);

// Adds a google.rpc detail to a status that is not OK. Another detail of the same type is replaced.
void AddErrorDetail(absl::Status& status, const google::protobuf::Message& detail);

// Adds a google.rpc.RetryInfo: when the same call may succeed.
void AddRetryInfo(absl::Status& status, std::chrono::milliseconds delay);

// The delay of the google.rpc.RetryInfo, if `status` has one.
std::optional<std::chrono::milliseconds> RetryDelayOf(const absl::Status& status);

// Adds metadata to the google.rpc.ErrorInfo of a status made by MakeError.
void AddErrorMetadata(absl::Status& status, const ErrorMetadata& metadata);

// The google.rpc detail of this type, if `status` has one.
template <class Detail>
std::optional<Detail> ErrorDetail(const absl::Status& status);

// The reason of a status made by MakeError; otherwise ERROR_REASON_UNSPECIFIED.
v1::ErrorReason ReasonOf(const absl::Status& status);

// The key of a detail among the payloads of a status: its type URL in google.protobuf.Any.
std::string DetailTypeUrl(const google::protobuf::Message& detail);

template <class Detail>
std::optional<Detail> ErrorDetail(const absl::Status& status) {
  Detail detail;
  const auto payload = status.GetPayload(DetailTypeUrl(detail));
  if (!payload || !detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

// The beginning of `text`: at most `size` bytes, and not cut within a UTF-8 character. Shorten
// text from outside before it goes into errors, labels or logs.
absl::string_view Shortened(absl::string_view text, size_t size);

// Collects all problems of a request, so that one error reports them together. `field` is a path in
// the request message, for example "conference_participant_summaries.conference_sid".
class RequestViolations {
 public:
  // Fields that are added from now on are in this message field of the request.
  void Enter(absl::string_view field);

  void Add(absl::string_view field, absl::string_view description);

  // OK, or INVALID_ARGUMENT with a google.rpc.BadRequest that names each field.
  absl::Status ToStatus() const;

 private:
  std::string prefix_;
  std::vector<std::pair<std::string, std::string>> violations_;
};

}  // namespace rollcall::service
