#include "service/config/account_form.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "service/provider/provider_id.h"

namespace rollcall::service {
namespace {

constexpr absl::string_view kSignalWireDomain = ".signalwire.com";

}  // namespace

bool IsProvider(absl::string_view text) { return text == "twilio" || text == "signalwire"; }

bool IsAccountSid(absl::string_view text) { return IsTwilioSid(text, "AC"); }

bool IsApiKey(absl::string_view text) { return IsTwilioSid(text, "SK"); }

bool IsProjectId(absl::string_view text) { return IsUuid(text); }

bool IsSpace(absl::string_view text) {
  absl::ConsumeSuffix(&text, kSignalWireDomain);
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
         });
}

BaseUrl TwilioApiUrl() { return BaseUrl::Parse("https://api.twilio.com").value(); }

BaseUrl TwilioInsightsUrl() { return BaseUrl::Parse("https://insights.twilio.com").value(); }

BaseUrl SpaceUrl(absl::string_view space) {
  absl::ConsumeSuffix(&space, kSignalWireDomain);
  return BaseUrl::Parse(absl::StrCat("https://", space, kSignalWireDomain)).value();
}

}  // namespace rollcall::service
