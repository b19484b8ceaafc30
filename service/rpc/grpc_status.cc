#include "service/rpc/grpc_status.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "google/rpc/status.pb.h"

namespace rollcall {
namespace {

// Peers take 8 KiB of headers by default. The message travels twice, as text with up to three bytes
// for one, and the details in base64.
constexpr size_t kMaxMessage = 1000;
constexpr size_t kMaxDetails = 2500;

// Not longer than `size`, and not cut within a UTF-8 character.
absl::string_view Shortened(absl::string_view text, size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const std::string message(Shortened(status.message(), kMaxMessage));
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(message);
  size_t size = 0;
  status.ForEachPayload([&](absl::string_view type, const absl::Cord& payload) {
    if (size + payload.size() > kMaxDetails) return;
    size += payload.size();
    auto* const detail = details.add_details();
    detail->set_type_url(std::string(type));
    detail->set_value(std::string(payload));
  });
  return {static_cast<grpc::StatusCode>(status.code()), message, details.SerializeAsString()};
}

}  // namespace rollcall
