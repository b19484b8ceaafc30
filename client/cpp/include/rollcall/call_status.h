// Errors of the service as absl::Status. Each google.rpc detail is a payload: its key is the
// detail's type URL, for example "type.googleapis.com/google.rpc.ErrorInfo", and its bytes are the
// serialized detail. StatusDetail reads one. Thread-safe.
#pragma once

#include <grpcpp/support/status.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace rollcall {

// The same code, message and details. Malformed details are omitted; of several details of one type
// the first is kept.
absl::Status ToAbslStatus(const grpc::Status& status);

// The detail of this type, for example google::rpc::ErrorInfo. Not set if `status` has none.
template <typename Detail>
std::optional<Detail> StatusDetail(const absl::Status& status) {
  const auto payload =
      status.GetPayload(absl::StrCat("type.googleapis.com/", Detail::descriptor()->full_name()));
  Detail detail;
  if (!payload.has_value() || !detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

// The service's advice whether to call again: the `retry` of its google.rpc.ErrorInfo. "resume",
// "later" and "no" are explained in rollcall/v1/error_reason.proto. Empty if the error is not the
// service's, or has no `retry`.
std::string RetryAdvice(const absl::Status& status);

}  // namespace rollcall
