#include "rollcall/call_status.h"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace rollcall {

absl::Status ToAbslStatus(const grpc::Status& status) {
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status rich;
  if (result.ok() || !rich.ParseFromString(status.error_details())) return result;
  for (const google::protobuf::Any& detail : rich.details()) {
    if (result.GetPayload(detail.type_url()).has_value()) continue;
    result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return result;
}

std::string RetryAdvice(const absl::Status& status) {
  // Errors of gRPC and of proxies have no ErrorInfo, or one of another domain.
  const auto info = StatusDetail<google::rpc::ErrorInfo>(status);
  if (!info.has_value() || info->domain() != "rollcall") return "";
  const auto retry = info->metadata().find("retry");
  return retry == info->metadata().end() ? "" : retry->second;
}

}  // namespace rollcall
