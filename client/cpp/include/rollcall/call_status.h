// The errors of the client as absl::Status. A status that came from the service carries each of its
// google.rpc details as a payload whose key is the detail's type URL, for example
// "type.googleapis.com/google.rpc.ErrorInfo", and whose bytes are the detail, serialized.
// StatusDetail reads one. Used by the client and by programs, on any thread.
#pragma once

#include <grpcpp/support/status.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace rollcall {

// The same code, message and details. Details that cannot be read are left out; of two of one type
// the first stays.
absl::Status ToAbslStatus(const grpc::Status& status);

// The detail of this type, for example google::rpc::ErrorInfo, where `status` has one.
template <typename Detail>
std::optional<Detail> StatusDetail(const absl::Status& status) {
  const auto payload =
      status.GetPayload(absl::StrCat("type.googleapis.com/", Detail::descriptor()->full_name()));
  Detail detail;
  if (!payload.has_value() || !detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

}  // namespace rollcall
