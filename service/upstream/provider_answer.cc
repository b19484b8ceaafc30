#include "service/upstream/provider_answer.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "nlohmann/json.hpp"
#include "service/error/error.h"
#include "service/record/json_text.h"
#include "service/upstream/retry_after.h"

namespace rollcall::service {
namespace {

constexpr size_t kMaxBody = size_t{16} << 10;
constexpr size_t kMaxText = 64;  // of a code or id in an error

// Provider codes that are more specific than their HTTP status.
constexpr absl::string_view kAdvancedFeaturesOff = "17000";
constexpr absl::string_view kAnotherAccountsData = "17007";
constexpr absl::string_view kMalformedConferenceSid = "20004";

// Truncates and filters a code or id, because the provider's text is untrusted.
std::string Plain(absl::string_view text) {
  std::string plain;
  for (const char c : text.substr(0, kMaxText)) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_') {
      plain.push_back(c);
    }
  }
  return plain;
}

std::string CodeIn(const nlohmann::json& object) {
  if (!object.is_object()) return {};
  const auto code = object.find("code");
  if (code == object.end()) return {};
  if (code->is_number_integer()) return code->dump();
  return code->is_string() ? Plain(code->get<std::string>()) : std::string();
}

// Extracts the provider's error code from {"code": 20404} or {"code": "20404"}, or from the same
// object as the first element of {"errors": [...]}.
std::string ProviderCode(const std::string& body) {
  const nlohmann::json document = nlohmann::json::parse(ReadableJson(body), nullptr, false);
  if (!document.is_object()) return {};
  std::string code = CodeIn(document);
  const auto errors = document.find("errors");
  if (code.empty() && errors != document.end() && errors->is_array() && !errors->empty()) {
    code = CodeIn(errors->front());
  }
  return code;
}

struct Meaning {
  v1::ErrorReason reason = v1::ERROR_REASON_UNSPECIFIED;
  absl::string_view message;
};

// Whether the page token in the provider's own link has expired. There is no specific code for this
// case, so it is recognized by generic codes for a URL with a page token.
bool SaysPageExpired(int http_status, absl::string_view code, absl::string_view url) {
  return http_status == 400 && absl::StrContains(url, "PageToken=") &&
         (code == "20001" || code == "70002" || code == "54453");
}

Meaning MeaningOf(int http_status, absl::string_view code, absl::string_view url) {
  if (SaysPageExpired(http_status, code, url)) {
    return {v1::ERROR_REASON_UPSTREAM_PAGE_EXPIRED,
            "the provider's page token has expired; restart the list"};
  }
  if (code == kAdvancedFeaturesOff || code == kAnotherAccountsData) {
    return {v1::ERROR_REASON_UPSTREAM_FEATURE_DISABLED,
            "the provider's advanced features, which this list needs, are off for the account, or "
            "the data is another account's"};
  }
  if (code == kMalformedConferenceSid) {
    return {v1::ERROR_REASON_UPSTREAM_REJECTED_REQUEST,
            "the provider rejected the conference sid as malformed"};
  }
  switch (http_status) {
    case 401:
      return {v1::ERROR_REASON_UPSTREAM_CREDENTIALS_REJECTED,
              "the provider rejects the service's credentials; the operator must check the "
              "account, key and region"};
    case 403:
      return {v1::ERROR_REASON_UPSTREAM_ACCESS_DENIED,
              "the provider denies the account access; it may be suspended"};
    case 404:
      return {v1::ERROR_REASON_UPSTREAM_NOT_FOUND,
              "the conference, room or participant does not exist in the provider account"};
    case 429:
      return {v1::ERROR_REASON_UPSTREAM_RATE_LIMITED,
              "the provider's rate limit for the account is exceeded; retry later"};
    default:
      break;
  }
  if (http_status == 408 || http_status >= 500) {
    return {v1::ERROR_REASON_UPSTREAM_UNAVAILABLE,
            "the provider is temporarily unavailable; retry later"};
  }
  if (http_status == 407) {
    return {v1::ERROR_REASON_UPSTREAM_UNREACHABLE,
            "a proxy in front of the provider requires authentication"};
  }
  if (http_status >= 400) {
    return {v1::ERROR_REASON_UPSTREAM_REJECTED_REQUEST,
            "the provider rejected the request; check the filters and the page token"};
  }
  if (http_status >= 300) {
    return {
        v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
        "the provider redirects elsewhere; to protect the credentials, redirects are not followed; "
        "the operator must check the base URL"};
  }
  return {v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
          "the provider's response has an unexpected status"};
}

}  // namespace

void ProviderAnswer::TakeHead(const HttpResponse& response) {
  http_status_ = response.status();
  retry_after_ = response.header("Retry-After").value_or("");
  date_ = response.header("Date").value_or("");
  request_id_ = response.header("Twilio-Request-Id").value_or("");
  if (request_id_.empty()) request_id_ = response.header("X-Request-Id").value_or("");
}

bool ProviderAnswer::TakeBody(absl::string_view bytes) {
  const absl::string_view kept = bytes.substr(0, kMaxBody - body_.size());
  body_.append(kept.data(), kept.size());
  return body_.size() < kMaxBody;
}

absl::Status ProviderAnswer::ToStatus(const Account& account, absl::string_view url,
                                      absl::Time now) const {
  const std::string code = ProviderCode(body_);
  const std::string request_id = Plain(request_id_);
  const Meaning meaning = MeaningOf(http_status_, code, url);
  std::string message = absl::StrCat(meaning.message, " (HTTP ", http_status_,
                                     code.empty() ? "" : ", code ", code, ")");
  absl::Status status = MakeError(meaning.reason, message,
                                  {{"http_status", absl::StrCat(http_status_)},
                                   {"provider_code", code},
                                   {"provider_request_id", request_id}});
  if (const absl::Duration delay = RetryDelay(retry_after_, date_, now);
      delay > absl::ZeroDuration()) {
    AddRetryInfo(status, absl::ToChronoMilliseconds(delay));
  }
  int number = 0;
  if (account.provider == ProviderType::kTwilio && absl::SimpleAtoi(code, &number) && number > 0) {
    google::rpc::Help help;
    auto* const link = help.add_links();
    link->set_description("The provider's documentation of this error");
    link->set_url(absl::StrCat("https://www.twilio.com/docs/api/errors/", number));
    AddErrorDetail(status, help);
  }
  return status;
}

absl::Status InUpstream(const absl::Status& status, const Account& account) {
  if (status.ok()) return status;
  absl::Status named =
      WithMessage(status, absl::StrCat("upstream \"", account.name, "\": ", status.message()));
  AddErrorMetadata(named, {{"upstream", account.name}});
  return named;
}

}  // namespace rollcall::service
