// How the operator writes an account with a provider: the forms of its identifiers, each with the
// words with which errors describe it, and the base URLs that follow from them.
#pragma once

#include "absl/strings/string_view.h"
#include "service/net/base_url.h"

namespace rollcall::service {

inline constexpr absl::string_view kProviderForm = "\"twilio\" or \"signalwire\"";
bool IsProvider(absl::string_view text);

inline constexpr absl::string_view kAccountSidForm = "\"AC\" and 32 hexadecimal digits";
bool IsAccountSid(absl::string_view text);

inline constexpr absl::string_view kApiKeyForm = "\"SK\" and 32 hexadecimal digits";
bool IsApiKey(absl::string_view text);

inline constexpr absl::string_view kProjectIdForm = "a UUID";
bool IsProjectId(absl::string_view text);

inline constexpr absl::string_view kSpaceForm =
    "the name of a SignalWire space, such as \"example\" or \"example.signalwire.com\"";
bool IsSpace(absl::string_view text);

// The default base URLs.
BaseUrl TwilioApiUrl();
BaseUrl TwilioInsightsUrl();
// `space` must satisfy IsSpace().
BaseUrl SpaceUrl(absl::string_view space);

}  // namespace rollcall::service
