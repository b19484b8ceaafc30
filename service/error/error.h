// Errors as values: every failure inside the service is an absl::Status made here from an
// ErrorReason, with its google.rpc details as payloads, so that the canonical code of a reason
// stands in one table. Used by every step of a call, on any thread; rpc/ turns the status into
// gRPC's form once, at the edge.
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

namespace rollcall {

// The `domain` of every google.rpc.ErrorInfo that the service sends.
inline constexpr absl::string_view kErrorDomain = "rollcall";

// Facts of an error for programs: the metadata of its google.rpc.ErrorInfo.
using ErrorMetadata = std::vector<std::pair<std::string, std::string>>;

// A status with the canonical code of `reason` and a google.rpc.ErrorInfo. `message` is for people
// and must hold neither personal data nor credentials.
absl::Status MakeError(v1::ErrorReason reason, absl::string_view message,
                       const ErrorMetadata& metadata = {});

// Adds a google.rpc detail to a status that is not OK. Another detail of the same type is replaced.
void AddErrorDetail(absl::Status& status, const google::protobuf::Message& detail);

// Adds a google.rpc.RetryInfo: when the same call may succeed.
void AddRetryInfo(absl::Status& status, std::chrono::milliseconds delay);

// The delay of the google.rpc.RetryInfo, where `status` has one.
std::optional<std::chrono::milliseconds> RetryDelayOf(const absl::Status& status);

// Adds facts to the google.rpc.ErrorInfo of a status made by MakeError.
void AddErrorMetadata(absl::Status& status, const ErrorMetadata& metadata);

// The google.rpc detail of this type, where `status` has one.
template <class Detail>
std::optional<Detail> ErrorDetail(const absl::Status& status);

// The reason that `status` was made from, ERROR_REASON_UNSPECIFIED for a status from elsewhere.
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

// The beginning of `text`, at most `size` bytes and not cut within a UTF-8 character: what comes
// from outside goes into errors, labels and logs shortened.
absl::string_view Shortened(absl::string_view text, size_t size);

// Gathers what is wrong with a request, so that a caller learns of all of it at once. Paths are
// those of the request message, for example "conference_participant_summaries.conference_sid".
class RequestViolations {
 public:
  void Add(absl::string_view field, absl::string_view description);

  // OK, or INVALID_ARGUMENT with a google.rpc.BadRequest that names every field.
  absl::Status ToStatus() const;

 private:
  std::vector<std::pair<std::string, std::string>> violations_;
};

}  // namespace rollcall
