#include "service/config/forms.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "service/config/config.h"
#include "service/config/provider_id.h"

namespace rollcall {
namespace {

constexpr absl::string_view kSignalWireDomain = ".signalwire.com";

bool AllOf(absl::string_view text, bool (*accepts)(unsigned char)) {
  return std::all_of(text.begin(), text.end(),
                     [accepts](char c) { return accepts(static_cast<unsigned char>(c)); });
}

}  // namespace

bool IsAccountSid(absl::string_view text) { return IsTwilioSid(text, "AC"); }

bool IsApiKey(absl::string_view text) { return IsTwilioSid(text, "SK"); }

bool IsProjectId(absl::string_view text) { return IsUuid(text); }

bool IsSpace(absl::string_view text) {
  absl::ConsumeSuffix(&text, kSignalWireDomain);
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         AllOf(text, [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-'; });
}

bool IsName(absl::string_view text) {
  return !text.empty() && text.size() <= 63 && AllOf(text, [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

bool IsProvider(absl::string_view text) { return text == "twilio" || text == "signalwire"; }

absl::string_view SecretProblem(absl::string_view text) {
  if (text.empty()) return "must not be empty";
  if (text.size() > kMaxSecretBytes) return "must not be longer than 4096 bytes";
  // The HTTP header that carries it is encoded, so control characters could not hurt there: they
  // are a sign that something else was read.
  if (!AllOf(text, [](unsigned char c) { return !absl::ascii_iscntrl(c); })) {
    return "must not contain line breaks or other control characters";
  }
  return "";
}

absl::string_view ResumeKeyProblem(absl::string_view text) {
  const absl::string_view problem = SecretProblem(text);
  if (!problem.empty()) return problem;
  return text.size() < kMinResumeKeyBytes ? "must have at least 32 bytes" : "";
}

bool IsListenAddress(absl::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return false;
  absl::string_view host = text.substr(0, colon);
  const absl::string_view port = text.substr(colon + 1);
  int number = 0;
  if (port.empty() || port.size() > 5 || !AllOf(port, absl::ascii_isdigit) ||
      !absl::SimpleAtoi(port, &number) || number > 65535) {
    return false;
  }
  if (absl::ConsumePrefix(&host, "[")) {
    return absl::ConsumeSuffix(&host, "]") && !host.empty() && AllOf(host, [](unsigned char c) {
             return absl::ascii_isxdigit(c) || c == ':' || c == '.';
           });
  }
  return !host.empty() && AllOf(host, [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

bool IsLoopback(absl::string_view listen) {
  const absl::StatusOr<BaseUrl> url =
      BaseUrl::Parse(absl::StrCat("http://", listen.substr(0, listen.rfind(':'))));
  return url.ok() && url->is_loopback();
}

bool IsTlsVersion(absl::string_view text) { return text == "1.2" || text == "1.3"; }

bool IsPath(absl::string_view text) { return !text.empty() && !absl::StrContains(text, '\0'); }

BaseUrl TwilioApiUrl() { return BaseUrl::Parse("https://api.twilio.com").value(); }

BaseUrl TwilioInsightsUrl() { return BaseUrl::Parse("https://insights.twilio.com").value(); }

BaseUrl SpaceUrl(absl::string_view space) {
  absl::ConsumeSuffix(&space, kSignalWireDomain);
  return BaseUrl::Parse(absl::StrCat("https://", space, kSignalWireDomain)).value();
}

}  // namespace rollcall
