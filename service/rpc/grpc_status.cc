#include "service/rpc/grpc_status.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "service/error/error.h"

namespace rollcall::service {
namespace {

// Peers accept 8 KiB of headers by default. The message is sent twice: percent-encoded, with up to
// three bytes for one, and in the details, in base64.
constexpr size_t kMaxMessage = 1000;
constexpr size_t kMaxDetails = 2500;

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& error, const TraceContext& trace) {
  if (error.ok()) return grpc::Status::OK;
  absl::Status status = error;
  AddErrorMetadata(status, {{"request_id", trace.request_id()}, {"trace_id", trace.trace_id()}});
  google::rpc::RequestInfo request;
  request.set_request_id(trace.request_id());
  AddErrorDetail(status, request);
  const std::string message(Shortened(status.message(), kMaxMessage));
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(message);
  // The ErrorInfo comes first, because programs need it most if not all fits.
  size_t size = 0;
  const auto add = [&](absl::string_view type, const absl::Cord& payload) {
    if (size + payload.size() > kMaxDetails) return;
    size += payload.size();
    auto* const detail = details.add_details();
    detail->set_type_url(std::string(type));
    detail->set_value(std::string(payload));
  };
  const std::string info_type = DetailTypeUrl(google::rpc::ErrorInfo());
  if (const auto info = status.GetPayload(info_type)) add(info_type, *info);
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
    if (type != info_type) add(type, payload);
  });
  return {static_cast<grpc::StatusCode>(status.code()), message, details.SerializeAsString()};
}

}  // namespace rollcall::service
