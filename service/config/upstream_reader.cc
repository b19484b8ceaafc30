#include "service/config/upstream_reader.h"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "service/config/account_form.h"
#include "service/config/secret_reader.h"
#include "service/config/setting_reader.h"
#include "service/config/settings.h"
#include "service/json/value_form.h"
#include "service/tls/tls_files.h"

namespace rollcall::service {
namespace {

using nlohmann::json;

bool IsAny(absl::string_view /*text*/) { return true; }

constexpr absl::string_view kTlsVersionForm = "\"1.2\" or \"1.3\"";
bool IsTlsVersion(absl::string_view text) { return text == "1.2" || text == "1.3"; }

// nullopt if the key is absent or wrong; a wrong value adds a problem.
std::optional<BaseUrl> ReadBaseUrl(JsonObjectReader& reader, absl::string_view key,
                                   bool allow_plaintext) {
  const std::optional<std::string> text =
      reader.String(key, "a string such as \"https://host\" or \"https://host:8443/path\"", IsAny);
  if (!text) return std::nullopt;
  absl::StatusOr<BaseUrl> url = BaseUrl::Parse(*text);
  if (!url.ok()) {
    reader.Problem(key, url.status().message());
    return std::nullopt;
  }
  if (url->is_plaintext() && !url->is_loopback() && !allow_plaintext) {
    reader.Problem(key,
                   "http would send the credentials unencrypted to another machine: use https, or "
                   "set allow_plaintext to true beside it");
    return std::nullopt;
  }
  return *std::move(url);
}

// Empty if the key is absent or after a problem was added.
std::string ReadCaFile(JsonObjectReader& reader) {
  const std::optional<std::string> path = reader.String("ca_file", kFilePathForm, IsPath);
  if (!path) return "";
  const absl::StatusOr<std::string> pem = ReadCertificates(*path);
  if (!pem.ok()) reader.Problem("ca_file", pem.status().message());
  return *path;
}

// As TransportOptions has it. Absent also after a problem was added.
std::optional<std::string> ReadProxy(JsonObjectReader& reader) {
  const std::optional<std::string> text =
      reader.String("proxy", "\"none\", or a string such as \"http://proxy:3128\"", IsAny);
  if (!text) return std::nullopt;
  if (*text == "none") return "";
  const absl::StatusOr<BaseUrl> url = BaseUrl::Parse(*text);
  if (!url.ok()) {
    reader.Problem("proxy", url.status().message());
    return std::nullopt;
  }
  // Without a port, libcurl would use other default ports for a proxy than for a server.
  std::string origin =
      absl::StrCat(url->is_plaintext() ? "http://" : "https://", url->host_and_port());
  if (BaseUrl::Parse(origin)->ToString() != url->ToString()) {
    reader.Problem("proxy", "must have no path");
    return std::nullopt;
  }
  return origin;
}

// The account without its name and options. nullopt after a problem was added.
std::optional<Account> ReadTwilio(JsonObjectReader& reader, bool allow_plaintext,
                                  const Environment& env, Problems& problems) {
  const auto account_sid = reader.RequiredString("account_sid", kAccountSidForm, IsAccountSid);
  const auto auth_token = ReadCurrentSecret(reader, "auth_token", env, problems);
  const auto api_key = reader.String("api_key", kApiKeyForm, IsApiKey);
  const auto api_secret = ReadCurrentSecret(reader, "api_secret", env, problems);
  const auto api = ReadBaseUrl(reader, "api_base_url", allow_plaintext);
  const auto insights = ReadBaseUrl(reader, "insights_base_url", allow_plaintext);

  const bool has_key = reader.Has("api_key");
  const bool has_key_secret = reader.Has("api_secret");
  if (reader.Has("auth_token")) {
    if (has_key || has_key_secret) {
      reader.Problem("auth_token", "give either auth_token or api_key with api_secret, not both");
    }
  } else if (!has_key && !has_key_secret) {
    reader.Problem("auth_token", "missing; give auth_token, or api_key with api_secret");
  } else if (!has_key) {
    reader.Problem("api_key", absl::StrCat("missing beside api_secret; expected ", kApiKeyForm));
  } else if (!has_key_secret) {
    reader.Problem("api_secret", absl::StrCat("missing beside api_key; expected ", kSecretForm));
  }
  const std::optional<CurrentSecret>& password = api_key ? api_secret : auth_token;
  if (!account_sid || !password) return std::nullopt;
  return Account{.name = "",
                 .provider = ProviderType::kTwilio,
                 .account_sid = *account_sid,
                 .username = api_key.value_or(*account_sid),
                 .password = *password,
                 .api = api.value_or(TwilioApiUrl()),
                 .insights = insights.value_or(TwilioInsightsUrl())};
}

// The same.
std::optional<Account> ReadSignalWire(JsonObjectReader& reader, bool allow_plaintext,
                                      const Environment& env, Problems& problems) {
  const auto project_id = reader.RequiredString("project_id", kProjectIdForm, IsProjectId);
  const auto api_token = ReadCurrentSecret(reader, "api_token", env, problems);
  const auto space = reader.String("space", kSpaceForm, IsSpace);
  const auto base = ReadBaseUrl(reader, "base_url", allow_plaintext);

  if (!reader.Has("api_token")) {
    reader.Problem("api_token", absl::StrCat("missing; expected ", kSecretForm));
  }
  if (reader.Has("space") && reader.Has("base_url")) {
    reader.Problem("space", "give either space or base_url, not both");
  } else if (!reader.Has("space") && !reader.Has("base_url")) {
    reader.Problem("space", absl::StrCat("missing; expected ", kSpaceForm, ", or base_url"));
  }
  if (!project_id || !api_token || (!space && !base)) return std::nullopt;
  return Account{.name = "",
                 .provider = ProviderType::kSignalWire,
                 .account_sid = *project_id,
                 .username = *project_id,
                 .password = *api_token,
                 .api = base ? *base : SpaceUrl(*space),
                 .insights = std::nullopt};
}

TransportOptions ReadTransportOptions(JsonObjectReader& reader) {
  TransportOptions transport;
  ReadSettings(reader, kTransportSettings, transport);
  transport.ca_file = ReadCaFile(reader);
  const auto min_tls_version = reader.String("min_tls_version", kTlsVersionForm, IsTlsVersion);
  if (min_tls_version == "1.3") transport.min_tls_version = TlsVersion::k13;
  transport.proxy = ReadProxy(reader);
  return transport;
}

LimiterOptions ReadLimiterOptions(JsonObjectReader& reader) {
  LimiterOptions limiter;
  ReadSettings(reader, kLimiterSettings, limiter);
  // One of the two alone moves the default of the other. A list has up to two connections.
  if (!reader.Has("max_connections")) {
    limiter.max_connections = std::max(limiter.max_connections, 2 * limiter.max_in_flight);
  } else if (!reader.Has("max_requests_in_flight")) {
    limiter.max_in_flight = std::min(limiter.max_in_flight, limiter.max_connections);
  }
  if (limiter.max_in_flight > limiter.max_connections) {
    reader.Problem("max_requests_in_flight", "must not be more than max_connections");
  }
  return limiter;
}

// nullopt after a problem was added.
std::optional<UpstreamOptions> ReadUpstream(JsonObjectReader& reader, const Environment& env,
                                            Problems& problems) {
  const auto name = reader.RequiredString("name", kNameForm, IsName);
  const auto provider = reader.RequiredString("provider", kProviderForm, IsProvider);
  const bool allow_plaintext = reader.Bool("allow_plaintext", false);
  AccountOptions options;
  ReadSettings(reader, kAccountSettings, options);
  TransportOptions transport = ReadTransportOptions(reader);
  const LimiterOptions limiter = ReadLimiterOptions(reader);

  std::optional<Account> account;
  if (provider == "twilio") {
    account = ReadTwilio(reader, allow_plaintext, env, problems);
  } else if (provider == "signalwire") {
    account = ReadSignalWire(reader, allow_plaintext, env, problems);
  } else {
    // Unknown provider: accept the keys of all of them.
    reader.Ignore({"account_sid", "auth_token", "api_key", "api_secret", "api_base_url",
                   "insights_base_url", "project_id", "api_token", "space", "base_url"});
  }
  if (account && !transport.proxy.value_or("").empty() &&
      (account->api.is_plaintext() || (account->insights && account->insights->is_plaintext()))) {
    reader.Problem("proxy", "http base URLs are never reached through a proxy: use https");
  }
  reader.Finish();
  if (!name || !account) return std::nullopt;
  account->name = *name;
  account->options = options;
  return UpstreamOptions{
      .account = *std::move(account), .transport = std::move(transport), .limiter = limiter};
}

}  // namespace

std::vector<UpstreamOptions> ReadUpstreams(JsonObjectReader& document, const Environment& env,
                                           Problems& problems) {
  std::vector<UpstreamOptions> upstreams;
  const json* value = document.Find("upstreams");
  if (value == nullptr || !value->is_array() || value->empty()) {
    if (document.is_object()) {
      document.Problem("upstreams", "expected an array of at least one upstream");
    }
    return upstreams;
  }
  for (std::size_t i = 0; i < value->size(); ++i) {
    JsonObjectReader reader((*value)[i], absl::StrCat("upstreams[", i, "]"), problems);
    if (!reader.is_object()) continue;
    std::optional<UpstreamOptions> upstream = ReadUpstream(reader, env, problems);
    if (!upstream) continue;
    const bool is_taken = std::any_of(
        upstreams.begin(), upstreams.end(),
        [&upstream](const auto& other) { return other.account.name == upstream->account.name; });
    if (is_taken) reader.Problem("name", "another upstream has this name already");
    upstreams.push_back(*std::move(upstream));
  }
  return upstreams;
}

}  // namespace rollcall::service
