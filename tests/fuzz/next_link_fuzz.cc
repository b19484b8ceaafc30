// Fuzzes the handling of a link to the next page, up to where credentials would be sent to it. The
// input's first byte chooses the configured base URL; the rest is tried as a link, as a page's link
// member and as a base URL.
#include <curl/curl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "service/net/base_url.h"
#include "service/provider/participant_api.h"
#include "tests/fuzz/require.h"

namespace rollcall::service {
namespace {

struct Base {
  BaseUrl url;
  std::string host;
  std::string port;
  std::string prefix;
};

const std::vector<Base>& Bases() {
  static const std::vector<Base>* const kBases = new std::vector<Base>{
      {BaseUrl::Parse("https://insights.twilio.com").value(), "insights.twilio.com", "443", ""},
      {BaseUrl::Parse("https://example.signalwire.com/api").value(), "example.signalwire.com",
       "443", "/api"},
      {BaseUrl::Parse("http://127.0.0.1:8080/a/b").value(), "127.0.0.1", "8080", "/a/b"},
      {BaseUrl::Parse("http://[::1]:80").value(), "[::1]", "80", ""},
  };
  return *kBases;
}

// A part of a URL as libcurl understands it after resolving "..".
std::string Part(const std::string& url, CURLUPart part) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> handle(curl_url(), curl_url_cleanup);
  Require(curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK,
          "an accepted link is a URL");
  char* text = nullptr;
  if (curl_url_get(handle.get(), part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return "";
  const std::unique_ptr<char, decltype(&curl_free)> owner(text, curl_free);
  return text;
}

void Resolve(const Base& base, absl::string_view link) {
  const auto url = base.url.Resolve(link);
  if (!url.ok()) return;
  Require(Part(*url, CURLUPART_SCHEME) == (base.url.is_plaintext() ? "http" : "https"),
          "an accepted link has the base's scheme");
  Require(Part(*url, CURLUPART_HOST) == base.host, "an accepted link has the base's host");
  Require(Part(*url, CURLUPART_PORT) == base.port, "an accepted link has the base's port");
  Require(Part(*url, CURLUPART_USER).empty() && Part(*url, CURLUPART_PASSWORD).empty(),
          "an accepted link has no user information");
  Require(Part(*url, CURLUPART_FRAGMENT).empty(), "an accepted link has no fragment");
  const std::string path = Part(*url, CURLUPART_PATH);
  Require(path == base.prefix || absl::StartsWith(path, base.prefix + "/"),
          "an accepted link is below the base's path");

  const auto again = base.url.Resolve(*url);
  Require(again.ok() && *again == *url, "an accepted link resolves to itself");
}

void ReadLink(const ParticipantApi& api, const Base& base, absl::string_view member) {
  const auto link = ReadNextLink(api.page_layout(), member);
  if (link.ok() && !link->empty()) Resolve(base, api.AdjustLink(*link));
}

void ParseBase(absl::string_view text) {
  const auto url = BaseUrl::Parse(text);
  if (!url.ok()) return;
  const auto again = BaseUrl::Parse(url->ToString());
  Require(again.ok() && again->ToString() == url->ToString(), "a base URL survives a round trip");
  const auto joined = url->Resolve(url->Join("/v1/Conferences?PageSize=50"));
  Require(joined.ok(), "a path joined to a base URL is below it");
}

void Fuzz(absl::string_view input) {
  if (input.empty()) return;
  const Base& base = Bases()[static_cast<uint8_t>(input[0]) % Bases().size()];
  const absl::string_view text = input.substr(1);
  Resolve(base, text);
  ReadLink(TwilioVoiceInsights(), base, text);
  ReadLink(SignalWire(), base, text);
  ParseBase(text);
}

}  // namespace
}  // namespace rollcall::service

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rollcall::service::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
