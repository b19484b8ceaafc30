#include "service/config/config.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "service/config/json_object_reader.h"

namespace rollcall {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr absl::string_view kTwilioApi = "https://api.twilio.com";
constexpr absl::string_view kTwilioInsights = "https://insights.twilio.com";
constexpr absl::string_view kSignalWireDomain = ".signalwire.com";

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxSecretBytes = 4096;

// What the values of keys and variables must look like, and how errors say so.

bool AllOf(absl::string_view text, bool (*accepts)(unsigned char)) {
  return std::all_of(text.begin(), text.end(),
                     [accepts](char c) { return accepts(static_cast<unsigned char>(c)); });
}

bool IsSid(absl::string_view text, absl::string_view kind) {
  return absl::ConsumePrefix(&text, kind) && text.size() == 32 && AllOf(text, absl::ascii_isxdigit);
}

constexpr absl::string_view kAccountSidForm = "\"AC\" and 32 hexadecimal digits";
bool IsAccountSid(absl::string_view text) { return IsSid(text, "AC"); }

constexpr absl::string_view kApiKeyForm = "\"SK\" and 32 hexadecimal digits";
bool IsApiKey(absl::string_view text) { return IsSid(text, "SK"); }

constexpr absl::string_view kProjectIdForm = "a UUID";
bool IsUuid(absl::string_view text) {
  constexpr absl::string_view kPattern = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::equal(text.begin(), text.end(), kPattern.begin(), kPattern.end(), [](char c, char p) {
    return p == '-' ? c == '-' : absl::ascii_isxdigit(static_cast<unsigned char>(c));
  });
}

constexpr absl::string_view kSpaceForm =
    "the name of a SignalWire space, such as \"example\" or \"example.signalwire.com\"";
bool IsSpace(absl::string_view text) {
  absl::ConsumeSuffix(&text, kSignalWireDomain);
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         AllOf(text, [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-'; });
}

constexpr absl::string_view kNameForm = "1 to 63 letters, digits, '-', '_' or '.'";
bool IsName(absl::string_view text) {
  return !text.empty() && text.size() <= 63 && AllOf(text, [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

constexpr absl::string_view kListenForm =
    "host:port, such as \"127.0.0.1:50051\", \"0.0.0.0:50051\" or \"[::]:50051\"";
constexpr absl::string_view kMetricsListenForm =
    "host:port, such as \"127.0.0.1:9464\" or \"0.0.0.0:9464\"";

constexpr absl::string_view kProviderForm = "\"twilio\" or \"signalwire\"";
bool IsProvider(absl::string_view text) { return text == "twilio" || text == "signalwire"; }

constexpr absl::string_view kSecretForm = "a string, {\"env\": \"NAME\"} or {\"file\": \"/path\"}";
// What is wrong with a secret's text; empty where nothing is. The HTTP header that carries it is
// encoded, so control characters could not hurt there: they are a sign that something else was
// read.
absl::string_view SecretProblem(absl::string_view text) {
  if (text.empty()) return "must not be empty";
  if (text.size() > kMaxSecretBytes) return "must not be longer than 4096 bytes";
  if (!AllOf(text, [](unsigned char c) { return !absl::ascii_iscntrl(c); })) {
    return "must not contain line breaks or other control characters";
  }
  return "";
}

bool IsNotEmpty(absl::string_view text) { return !text.empty(); }
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

// Base URLs that are constants, or made of parts that were checked.
BaseUrl KnownUrl(absl::string_view url) { return BaseUrl::Parse(url).value(); }

BaseUrl SpaceUrl(absl::string_view space) {
  absl::ConsumeSuffix(&space, kSignalWireDomain);
  return KnownUrl(absl::StrCat("https://", space, kSignalWireDomain));
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
  const std::optional<std::string> path = source.String("file", "the path of a file", IsNotEmpty);
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
                 api.value_or(KnownUrl(kTwilioApi)), insights.value_or(KnownUrl(kTwilioInsights))};
}

// nullopt after a problem was noted.
std::optional<Account> ReadSignalWire(JsonObjectReader& reader, bool allow_plaintext,
                                      const Environment& env, Problems& problems) {
  const auto project_id = reader.RequiredString("project_id", kProjectIdForm, IsUuid);
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
      .connect_timeout = connect_timeout,
      .idle_timeout = idle_timeout,
      .default_page_size = static_cast<int>(default_page_size),
      .strict = strict,
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

// Reads the environment variables of one upstream.
class VariableGroup {
 public:
  VariableGroup(const Environment& env, Problems& problems) : env_(env), problems_(problems) {}

  // nullopt where the variable is not set or empty, which is the same to those who write
  // deployments.
  std::optional<std::string> Get(const std::string& name) const {
    std::optional<std::string> value = env_(name);
    return value && !value->empty() ? value : std::nullopt;
  }

  bool HasAny(std::initializer_list<const char*> names) const {
    return std::any_of(names.begin(), names.end(),
                       [this](const char* name) { return Get(name).has_value(); });
  }

  // nullopt after a problem was noted.
  std::optional<std::string> Require(const std::string& name, absl::string_view expected,
                                     bool (*accepts)(absl::string_view)) {
    std::optional<std::string> value = Get(name);
    if (!value) {
      problems_.Add(name, absl::StrCat("not set; expected ", expected));
    } else if (!accepts(*value)) {
      problems_.Add(name, absl::StrCat("expected ", expected));
      value.reset();
    }
    return value;
  }

  // nullopt after a problem was noted.
  std::optional<Secret> RequireSecret(const std::string& name) {
    const std::optional<std::string> value = Get(name);
    const absl::string_view problem = value ? SecretProblem(*value) : "not set";
    if (problem.empty()) return Secret(*value);
    problems_.Add(name, problem);
    return std::nullopt;
  }

 private:
  const Environment& env_;
  Problems& problems_;
};

// nullopt after a problem was noted.
std::optional<UpstreamConfig> TwilioFromEnvironment(VariableGroup& variables, Problems& problems) {
  const auto account_sid = variables.Require("TWILIO_ACCOUNT_SID", kAccountSidForm, IsAccountSid);
  std::optional<std::string> username = account_sid;
  std::optional<Secret> password;
  // Many environments hold both pairs. An API key is the one that can do less and be revoked alone.
  if (variables.HasAny({"TWILIO_API_KEY", "TWILIO_API_SECRET"})) {
    username = variables.Require("TWILIO_API_KEY", kApiKeyForm, IsApiKey);
    password = variables.RequireSecret("TWILIO_API_SECRET");
  } else if (variables.HasAny({"TWILIO_AUTH_TOKEN"})) {
    password = variables.RequireSecret("TWILIO_AUTH_TOKEN");
  } else {
    problems.Add("TWILIO_AUTH_TOKEN",
                 "not set; set TWILIO_AUTH_TOKEN, or TWILIO_API_KEY and TWILIO_API_SECRET");
  }
  if (!account_sid || !username || !password) return std::nullopt;
  return UpstreamConfig{.name = "twilio",
                        .provider = ProviderType::kTwilio,
                        .account_sid = *account_sid,
                        .username = *username,
                        .password = *password,
                        .api = KnownUrl(kTwilioApi),
                        .insights = KnownUrl(kTwilioInsights)};
}

// nullopt after a problem was noted.
std::optional<UpstreamConfig> SignalWireFromEnvironment(VariableGroup& variables) {
  const auto project_id = variables.Require("SIGNALWIRE_PROJECT_ID", kProjectIdForm, IsUuid);
  const auto api_token = variables.RequireSecret("SIGNALWIRE_API_TOKEN");
  const auto space = variables.Require("SIGNALWIRE_SPACE", kSpaceForm, IsSpace);
  if (!project_id || !api_token || !space) return std::nullopt;
  return UpstreamConfig{.name = "signalwire",
                        .provider = ProviderType::kSignalWire,
                        .account_sid = *project_id,
                        .username = *project_id,
                        .password = *api_token,
                        .api = SpaceUrl(*space),
                        .insights = std::nullopt};
}

}  // namespace

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

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
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

absl::StatusOr<Config> ConfigFromEnvironment(const Environment& env) {
  Problems problems;
  VariableGroup variables(env, problems);
  Config config;
  if (variables.HasAny(
          {"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY", "TWILIO_API_SECRET"})) {
    if (auto upstream = TwilioFromEnvironment(variables, problems)) {
      config.upstreams.push_back(*std::move(upstream));
    }
  }
  if (variables.HasAny({"SIGNALWIRE_PROJECT_ID", "SIGNALWIRE_API_TOKEN", "SIGNALWIRE_SPACE"})) {
    if (auto upstream = SignalWireFromEnvironment(variables)) {
      config.upstreams.push_back(*std::move(upstream));
    }
  }
  if (!problems.empty()) return problems.ToStatus();
  if (config.upstreams.empty()) {
    return absl::InvalidArgumentError(
        "no upstream: set TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN, or with TWILIO_API_KEY and "
        "TWILIO_API_SECRET; or SIGNALWIRE_PROJECT_ID, SIGNALWIRE_API_TOKEN and SIGNALWIRE_SPACE; "
        "or write a configuration file");
  }
  return config;
}

}  // namespace rollcall
