#include "service/config/config.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "service/config/forms.h"
#include "service/config/json_object_reader.h"

namespace rollcall {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxCaFileBytes = std::size_t{4} << 20;

bool IsNotEmpty(absl::string_view text) { return !text.empty(); }
bool IsPath(absl::string_view text) { return !text.empty() && !absl::StrContains(text, '\0'); }
bool IsAny(absl::string_view /*text*/) { return true; }

// Reads a whole file, but no more than one byte over `max_bytes`.
absl::StatusOr<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             std::fclose);
  if (file == nullptr) return absl::ErrnoToStatus(errno, "cannot open the file");
  std::string text(max_bytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return absl::ErrnoToStatus(errno, "cannot read the file");
  return text;
}

// Finds a secret's text where the configuration says that it is.
std::optional<std::string> SecretText(JsonObjectReader& reader, absl::string_view key,
                                      const Environment& env, Problems& problems) {
  const json* value = reader.Find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  if (!value->is_object()) {
    reader.Problem(key, absl::StrCat("expected ", kSecretForm));
    return std::nullopt;
  }
  JsonObjectReader source(*value, reader.PathOf(key), problems);
  const bool is_one_source = source.Has("env") != source.Has("file");
  const std::optional<std::string> name =
      source.String("env", "the name of an environment variable", IsNotEmpty);
  const std::optional<std::string> path = source.String("file", "the path of a file", IsPath);
  source.Finish();
  if (!is_one_source) {
    reader.Problem(key, absl::StrCat("expected ", kSecretForm, ": one of the two keys"));
    return std::nullopt;
  }
  if (name) {
    std::optional<std::string> text = env(*name);
    if (!text) source.Problem("env", "there is no environment variable of this name");
    return text;
  }
  if (path) {
    absl::StatusOr<std::string> text = ReadFile(*path, kMaxSecretBytes);
    if (!text.ok()) {
      source.Problem("file", text.status().message());
      return std::nullopt;
    }
    // Editors and `echo` end a file with a line break, which is not part of the secret.
    absl::string_view stripped = *text;
    while (absl::ConsumeSuffix(&stripped, "\n") || absl::ConsumeSuffix(&stripped, "\r")) {
    }
    return std::string(stripped);
  }
  return std::nullopt;
}

// nullopt, noted unless the key is absent.
std::optional<Secret> ReadSecret(JsonObjectReader& reader, absl::string_view key,
                                 const Environment& env, Problems& problems) {
  const std::optional<std::string> text = SecretText(reader, key, env, problems);
  if (!text) return std::nullopt;
  const absl::string_view problem = SecretProblem(*text);
  if (!problem.empty()) {
    reader.Problem(key, problem);
    return std::nullopt;
  }
  return Secret(*text);
}

// nullopt, noted unless the key is absent.
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

// Whether the text of a PEM file holds a certificate, and none that cannot be read, as libcurl will
// want it.
bool HoldsCertificate(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  STACK_OF(X509_INFO)* const items = PEM_X509_INFO_read_bio(bio.get(), nullptr, nullptr, nullptr);
  ERR_clear_error();
  bool found = false;
  for (int i = 0; i < sk_X509_INFO_num(items); ++i) {
    found = found || sk_X509_INFO_value(items, i)->x509 != nullptr;
  }
  sk_X509_INFO_pop_free(items, X509_INFO_free);
  return found;
}

// Empty where the key is absent, or after a problem was noted.
std::string ReadCaFile(JsonObjectReader& reader) {
  const std::optional<std::string> path = reader.String("ca_file", "the path of a file", IsPath);
  if (!path) return "";
  const absl::StatusOr<std::string> pem = ReadFile(*path, kMaxCaFileBytes);
  if (!pem.ok()) {
    reader.Problem("ca_file", pem.status().message());
  } else if (pem->size() > kMaxCaFileBytes) {
    reader.Problem("ca_file", "the file must not be longer than 4 MiB");
  } else if (!HoldsCertificate(*pem)) {
    reader.Problem("ca_file", "the file holds no certificate in PEM form, or one that is broken");
  }
  return *path;
}

// The part of an upstream that depends on its provider.
struct Account {
  std::string account_sid;
  std::string username;
  Secret password;
  BaseUrl api;
  std::optional<BaseUrl> insights;
};

// nullopt after a problem was noted.
std::optional<Account> ReadTwilio(JsonObjectReader& reader, bool allow_plaintext,
                                  const Environment& env, Problems& problems) {
  const auto account_sid = reader.RequiredString("account_sid", kAccountSidForm, IsAccountSid);
  const auto auth_token = ReadSecret(reader, "auth_token", env, problems);
  const auto api_key = reader.String("api_key", kApiKeyForm, IsApiKey);
  const auto api_secret = ReadSecret(reader, "api_secret", env, problems);
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
  const std::optional<Secret>& password = api_key ? api_secret : auth_token;
  if (!account_sid || !password) return std::nullopt;
  return Account{*account_sid, api_key.value_or(*account_sid), *password,
                 api.value_or(TwilioApiUrl()), insights.value_or(TwilioInsightsUrl())};
}

// nullopt after a problem was noted.
std::optional<Account> ReadSignalWire(JsonObjectReader& reader, bool allow_plaintext,
                                      const Environment& env, Problems& problems) {
  const auto project_id = reader.RequiredString("project_id", kProjectIdForm, IsProjectId);
  const auto api_token = ReadSecret(reader, "api_token", env, problems);
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
  return Account{*project_id, *project_id, *api_token, base ? *base : SpaceUrl(*space),
                 std::nullopt};
}

// nullopt after a problem was noted.
std::optional<UpstreamConfig> ReadUpstream(JsonObjectReader& reader, const Environment& env,
                                           Problems& problems) {
  const auto name = reader.RequiredString("name", kNameForm, IsName);
  const auto provider = reader.RequiredString("provider", kProviderForm, IsProvider);
  const bool allow_plaintext = reader.Bool("allow_plaintext", false);
  const milliseconds connect_timeout =
      reader.Seconds("connect_timeout_seconds", seconds(10), milliseconds(1), seconds(600));
  const milliseconds idle_timeout =
      reader.Seconds("idle_timeout_seconds", seconds(60), milliseconds(1), seconds(3600));
  const std::int64_t default_page_size = reader.Integer("default_page_size", 1000, 1, 1000);
  const bool strict = reader.Bool("strict", false);
  RequestLimits requests;
  const auto count = [&reader](absl::string_view key, int& value) {
    value = static_cast<int>(reader.Integer(key, value, 1, 1'000'000));
  };
  count("max_requests_in_flight", requests.max_in_flight);
  count("max_connections", requests.max_connections);
  count("max_requests_waiting", requests.max_waiting);
  const std::string ca_file = ReadCaFile(reader);
  const bool http2 = reader.Bool("http2", false);

  std::optional<Account> account;
  if (provider == "twilio") {
    account = ReadTwilio(reader, allow_plaintext, env, problems);
  } else if (provider == "signalwire") {
    account = ReadSignalWire(reader, allow_plaintext, env, problems);
  } else {
    // Which of these belong here is only known once the provider is.
    reader.Ignore({"account_sid", "auth_token", "api_key", "api_secret", "api_base_url",
                   "insights_base_url", "project_id", "api_token", "space", "base_url"});
  }
  reader.Finish();
  if (!name || !account) return std::nullopt;
  return UpstreamConfig{
      .name = *name,
      .provider = provider == "twilio" ? ProviderType::kTwilio : ProviderType::kSignalWire,
      .account_sid = account->account_sid,
      .username = account->username,
      .password = account->password,
      .api = account->api,
      .insights = account->insights,
      .ca_file = ca_file,
      .http2 = http2,
      .connect_timeout = connect_timeout,
      .idle_timeout = idle_timeout,
      .default_page_size = static_cast<int>(default_page_size),
      .strict = strict,
      .requests = requests,
  };
}

std::vector<UpstreamConfig> ReadUpstreams(JsonObjectReader& document, const Environment& env,
                                          Problems& problems) {
  std::vector<UpstreamConfig> upstreams;
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
    std::optional<UpstreamConfig> upstream = ReadUpstream(reader, env, problems);
    if (!upstream) continue;
    const bool is_taken =
        std::any_of(upstreams.begin(), upstreams.end(),
                    [&upstream](const auto& other) { return other.name == upstream->name; });
    if (is_taken) reader.Problem("name", "another upstream has this name already");
    upstreams.push_back(*std::move(upstream));
  }
  return upstreams;
}

Limits ReadLimits(JsonObjectReader& document, Problems& problems) {
  Limits limits;
  const json* value = document.Find("limits");
  if (value == nullptr) return limits;
  JsonObjectReader reader(*value, "limits", problems);
  const auto bytes = [&reader](absl::string_view key, std::size_t otherwise, std::int64_t max) {
    return static_cast<std::size_t>(
        reader.Integer(key, static_cast<std::int64_t>(otherwise), 1024, max));
  };
  limits.max_record_bytes =
      bytes("max_record_bytes", limits.max_record_bytes, std::int64_t{64} << 20);
  limits.max_page_bytes = bytes("max_page_bytes", limits.max_page_bytes, std::int64_t{64} << 30);
  limits.max_pages_per_list =
      reader.Integer("max_pages_per_list", limits.max_pages_per_list, 1, 1'000'000'000);
  limits.max_json_depth =
      static_cast<int>(reader.Integer("max_json_depth", limits.max_json_depth, 8, 1024));
  limits.send_queue_bytes =
      bytes("send_queue_bytes", limits.send_queue_bytes, std::int64_t{64} << 20);
  limits.max_calls = static_cast<int>(reader.Integer("max_calls", limits.max_calls, 1, 1'000'000));
  reader.Finish();
  if (limits.max_record_bytes > limits.max_page_bytes) {
    reader.Problem("max_record_bytes", "must not be more than max_page_bytes");
  }
  return limits;
}

RetrySettings ReadRetrySettings(JsonObjectReader& document, Problems& problems) {
  RetrySettings retry;
  const json* value = document.Find("retry");
  if (value == nullptr) return retry;
  JsonObjectReader reader(*value, "retry", problems);
  retry.max_attempts = static_cast<int>(reader.Integer("max_attempts", retry.max_attempts, 1, 100));
  retry.initial_backoff = reader.Seconds("initial_backoff_seconds", retry.initial_backoff,
                                         milliseconds(1), seconds(60));
  retry.max_backoff =
      reader.Seconds("max_backoff_seconds", retry.max_backoff, milliseconds(1), seconds(3600));
  reader.Finish();
  return retry;
}

BreakerSettings ReadBreakerSettings(JsonObjectReader& document, Problems& problems) {
  BreakerSettings breaker;
  const json* value = document.Find("circuit_breaker");
  if (value == nullptr) return breaker;
  JsonObjectReader reader(*value, "circuit_breaker", problems);
  breaker.failures = static_cast<int>(reader.Integer("failures", breaker.failures, 1, 1'000'000));
  breaker.open = reader.Seconds("open_seconds", breaker.open, milliseconds(1), seconds(3600));
  reader.Finish();
  return breaker;
}

DeadlineSettings ReadDeadlineSettings(JsonObjectReader& document, Problems& problems) {
  DeadlineSettings deadline;
  const json* value = document.Find("deadline");
  if (value == nullptr) return deadline;
  JsonObjectReader reader(*value, "deadline", problems);
  constexpr auto kMax = std::chrono::hours(24 * 30);
  deadline.max = reader.Seconds("max_seconds", deadline.max, milliseconds(1), kMax);
  deadline.otherwise = reader.Seconds("default_seconds", std::min(deadline.otherwise, deadline.max),
                                      milliseconds(1), kMax);
  reader.Finish();
  if (deadline.otherwise > deadline.max) {
    reader.Problem("default_seconds", "must not be more than max_seconds");
  }
  return deadline;
}

}  // namespace

int DefaultEventLoops() {
  constexpr int kMost = 4;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMost);
}

absl::StatusOr<Config> ParseConfig(absl::string_view json_text, const Environment& env) {
  Problems problems;
  const absl::StatusOr<json> document = ParseJson(json_text, problems);
  if (!document.ok()) return document.status();

  JsonObjectReader reader(*document, "", problems);
  Config config;
  if (const auto listen = reader.String("listen", kListenForm, IsListenAddress)) {
    config.listen = *listen;
  }
  config.metrics_listen = reader.String("metrics_listen", kMetricsListenForm, IsListenAddress);
  config.upstreams = ReadUpstreams(reader, env, problems);
  config.limits = ReadLimits(reader, problems);
  config.retry = ReadRetrySettings(reader, problems);
  config.breaker = ReadBreakerSettings(reader, problems);
  config.deadline = ReadDeadlineSettings(reader, problems);
  config.event_loops = static_cast<int>(reader.Integer("event_loops", config.event_loops, 1, 64));
  config.prefetch = reader.Bool("prefetch", config.prefetch);
  config.drain_timeout =
      reader.Seconds("drain_timeout_seconds", config.drain_timeout, milliseconds(0), seconds(3600));
  reader.Finish();
  if (!problems.empty()) return problems.ToStatus();
  return config;
}

absl::StatusOr<Config> LoadConfigFile(const std::string& path, const Environment& env) {
  const absl::StatusOr<std::string> text = ReadFile(path, kMaxConfigBytes);
  if (!text.ok()) {
    return absl::Status(text.status().code(), absl::StrCat(path, ": ", text.status().message()));
  }
  if (text->size() > kMaxConfigBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": must not be longer than ", kMaxConfigBytes, " bytes"));
  }
  absl::StatusOr<Config> config = ParseConfig(*text, env);
  if (config.ok()) return config;
  // Each line stands for itself in a log.
  const std::string separator = absl::StrCat("\n", path, ": ");
  return absl::Status(
      config.status().code(),
      absl::StrCat(path, ": ",
                   absl::StrJoin(absl::StrSplit(config.status().message(), '\n'), separator)));
}

}  // namespace rollcall
