// What the values of keys and variables must look like, and how errors say so. Used by those who
// read the configuration, the policy and the files that they name.
#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"
#include "service/http/base_url.h"

namespace rollcall {

inline constexpr std::size_t kMaxSecretBytes = 4096;
// Of a file that holds one: it may end with a line break.
inline constexpr std::size_t kMaxSecretFileBytes = kMaxSecretBytes + 2;
inline constexpr std::size_t kMinResumeKeyBytes = 32;

inline constexpr absl::string_view kAccountSidForm = "\"AC\" and 32 hexadecimal digits";
bool IsAccountSid(absl::string_view text);

inline constexpr absl::string_view kApiKeyForm = "\"SK\" and 32 hexadecimal digits";
bool IsApiKey(absl::string_view text);

inline constexpr absl::string_view kProjectIdForm = "a UUID";
bool IsProjectId(absl::string_view text);

inline constexpr absl::string_view kSpaceForm =
    "the name of a SignalWire space, such as \"example\" or \"example.signalwire.com\"";
bool IsSpace(absl::string_view text);

inline constexpr absl::string_view kNameForm = "1 to 63 letters, digits, '-', '_' or '.'";
bool IsName(absl::string_view text);

inline constexpr absl::string_view kListenForm =
    "host:port, such as \"127.0.0.1:50051\", \"0.0.0.0:50051\" or \"[::]:50051\", or "
    "\"unix:/path/to/socket\"";
inline constexpr absl::string_view kMetricsListenForm =
    "host:port, such as \"127.0.0.1:9464\" or \"0.0.0.0:9464\"";

// Whether an address of that form can be reached from this machine only.
bool IsLoopback(absl::string_view listen);

inline constexpr absl::string_view kProviderForm = "\"twilio\" or \"signalwire\"";
bool IsProvider(absl::string_view text);

inline constexpr absl::string_view kTlsVersionForm = "\"1.2\" or \"1.3\"";
bool IsTlsVersion(absl::string_view text);

// Of a file.
bool IsPath(absl::string_view text);

inline constexpr absl::string_view kSecretForm =
    "a string, {\"env\": \"NAME\"} or {\"file\": \"/path\"}";
// What is wrong with a secret's text; empty where nothing is.
absl::string_view SecretProblem(absl::string_view text);
// The same of a resume_key. Callers hold what it seals and may try keys on it, so it must be long.
absl::string_view ResumeKeyProblem(absl::string_view text);

// The base URLs that nobody has to configure.
BaseUrl TwilioApiUrl();
BaseUrl TwilioInsightsUrl();
// Of a text that IsSpace().
BaseUrl SpaceUrl(absl::string_view space);

}  // namespace rollcall
