// Fuzzes the errors made from providers' responses. The input is a response in lines: HTTP status,
// Retry-After, request id; then the body.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/util/message_differencer.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "service/error/error.h"
#include "service/rpc/grpc_status.h"
#include "service/upstream/provider_answer.h"
#include "tests/fuzz/require.h"

namespace rollcall::service {
namespace {

// The default limit of HTTP/2 peers for trailers.
constexpr size_t kMaxTrailers = 8192;

// The current time; a Retry-After date may be later.
constexpr int64_t kNow = 1600000000;

class Head final : public HttpResponse {
 public:
  Head(int status, absl::string_view retry_after, absl::string_view request_id)
      : status_(status), retry_after_(retry_after), request_id_(request_id) {}

  int status() const override { return status_; }
  std::optional<std::string> header(const char* name) const override {
    const absl::string_view asked = name;
    if (asked == "Retry-After" && !retry_after_.empty()) return retry_after_;
    if (asked == "Twilio-Request-Id" && !request_id_.empty()) return request_id_;
    return std::nullopt;
  }

 private:
  const int status_;
  const std::string retry_after_;
  const std::string request_id_;
};

const Account& Upstream() {
  static const Account* const kUpstream =
      new Account{.name = "main",
                  .provider = ProviderType::kTwilio,
                  .account_sid = "AC",
                  .username = "AC",
                  .password = CurrentSecret(Secret("secret")),
                  .api = BaseUrl::Parse("https://api.example.com").value(),
                  .insights = std::nullopt};
  return *kUpstream;
}

absl::Status ToStatus(const Head& head, absl::string_view body) {
  ProviderAnswer answer;
  answer.TakeHead(head);
  // In two pieces, because a body may arrive in pieces.
  answer.TakeBody(body.substr(0, body.size() / 2));
  answer.TakeBody(body.substr(body.size() / 2));
  return InUpstream(answer.ToStatus(Upstream(), "https://api.example.com/list?PageToken=x",
                                    absl::FromUnixSeconds(kNow)),
                    Upstream());
}

// The message's size in HTTP/2: each byte outside printable ASCII becomes three.
size_t EncodedSize(absl::string_view message) {
  size_t size = 0;
  for (const char c : message) size += c < ' ' || c > '~' || c == '%' ? 3 : 1;
  return size;
}

google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  Require(details.ParseFromString(status.error_details()), "the details can be parsed");
  Require(details.code() == static_cast<int>(status.error_code()) &&
              details.message() == status.error_message(),
          "the details match the status");
  return details;
}

// Neither statuses nor maps have an order.
bool Same(const google::rpc::Status& a, const google::rpc::Status& b) {
  google::protobuf::util::MessageDifferencer differencer;
  differencer.set_repeated_field_comparison(
      google::protobuf::util::MessageDifferencer::RepeatedFieldComparison::AS_SET);
  return differencer.Compare(a, b);
}

// Whether `text` is a subsequence of `whole`.
bool RemainsOf(absl::string_view text, absl::string_view whole) {
  for (const char c : whole) {
    if (!text.empty() && text.front() == c) text.remove_prefix(1);
  }
  return text.empty();
}

void Fuzz(absl::string_view input) {
  const auto take_line = [&input] {
    const size_t end = std::min(input.find('\n'), input.size());
    const absl::string_view line = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
    return line;
  };
  uint32_t http_status = 0;
  if (!absl::SimpleAtoi(take_line(), &http_status) || http_status > 999 || http_status == 200) {
    return;
  }
  const absl::string_view retry_after = take_line();
  const absl::string_view request_id = take_line();
  const Head head(static_cast<int>(http_status), retry_after, request_id);
  const absl::Status status = ToStatus(head, input);

  const TraceContext trace;
  const grpc::Status grpc_status = ToGrpcStatus(status, trace);
  Require(!grpc_status.ok(), "any response but the document is an error");
  Require(
      EncodedSize(grpc_status.error_message()) + (grpc_status.error_details().size() + 2) / 3 * 4 <
          kMaxTrailers,
      "an error fits into trailers");
  const google::rpc::Status details = DetailsOf(grpc_status);

  google::rpc::ErrorInfo info;
  bool has_info = false;
  for (const auto& detail : details.details()) {
    if (detail.Is<google::rpc::ErrorInfo>()) has_info = detail.UnpackTo(&info);
    google::rpc::RetryInfo retry;
    if (detail.UnpackTo(&retry)) {
      Require(retry.retry_delay().seconds() >= 0 && retry.retry_delay().seconds() <= 24 * 3600,
              "a delay is between zero and a day");
    }
  }
  Require(has_info && info.reason() != "UNSPECIFIED", "an error has a reason");

  // The error contains nothing of the body except its code: another body with the same code gives
  // the same error.
  const std::string code = info.metadata().count("provider_code") != 0
                               ? info.metadata().at("provider_code")
                               : std::string();
  Require(code.size() <= 64 &&
              std::all_of(code.begin(), code.end(),
                          [](char c) {
                            return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
                                   c == '_';
                          }),
          "a code is short and plain");
  Require(RemainsOf(code, input) || absl::StrContains(input, '\\'), "a code occurs in the body");
  const std::string other = code.empty() ? "" : absl::StrCat(R"({"code": ")", code, R"("})");
  Require(Same(DetailsOf(ToGrpcStatus(ToStatus(head, other), trace)), details),
          "an error contains nothing of the body but its code");
}

}  // namespace
}  // namespace rollcall::service

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rollcall::service::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
