#include "service/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "service/config/config_summary.h"
#include "tests/end_to_end/certificate.h"

namespace rollcall::service {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kAccountSid[] = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
constexpr char kApiKey[] = "SK0123456789abcdef0123456789ABCDEF";
constexpr char kProjectId[] = "b3877c40-da60-4998-90ad-b792e98472af";
// Used where a secret belongs, and where one could be put by mistake.
constexpr char kHidden[] = "hunter2";
// Any certificate; its key does not exist any more.
constexpr char kCertificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBezCCASGgAwIBAgIUU7tsA0TyV/+MDXyhng/hULBACFMwCgYIKoZIzj0EAwIw\n"
    "EjEQMA4GA1UEAwwHVGVzdCBDQTAgFw0yNjExMjEyMzU4MzBaGA8yMTI2MTAyODIz\n"
    "NTgzMFowEjEQMA4GA1UEAwwHVGVzdCBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEH\n"
    "A0IABCymXInpkkgkjQFFsKBTP48ouoU/zwyHtbtlpW0xR7WvnbrgtOBWC3otwiLh\n"
    "hT52LipTGlECqmPEHK1l6/EgcU2jUzBRMB0GA1UdDgQWBBTWuUok9SraOoNgO0HO\n"
    "LuJSzNgM+zAfBgNVHSMEGDAWgBTWuUok9SraOoNgO0HOLuJSzNgM+zAPBgNVHRMB\n"
    "Af8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQD0hqIkB/guHvr3u+79SXafw8oc\n"
    "Hg44brQPzbfaj2HUaQIgP28iZvqNnRPDjNamq3WXkSwaVZuZvCPLLqPa6Y/hWB0=\n"
    "-----END CERTIFICATE-----\n";

Environment Variables(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

json TwilioUpstream() {
  return {{"name", "main"},
          {"provider", "twilio"},
          {"account_sid", kAccountSid},
          {"auth_token", kHidden}};
}

json SignalWireUpstream() {
  return {{"name", "space"},
          {"provider", "signalwire"},
          {"project_id", kProjectId},
          {"api_token", kHidden},
          {"space", "example"}};
}

json Document() { return {{"upstreams", json::array({TwilioUpstream()})}}; }

absl::StatusOr<Config> Parse(const json& document, const Environment& env = Variables({})) {
  return ParseConfig(document.dump(), env);
}

// The lines of an error. Also checks what must hold for every error.
std::vector<std::string> ErrorsOf(const absl::StatusOr<Config>& config) {
  if (config.ok()) return {};
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(config.status().message(), Not(HasSubstr(kHidden)));
  return absl::StrSplit(config.status().message(), '\n');
}

std::vector<std::string> Errors(const json& document, const Environment& env = Variables({})) {
  return ErrorsOf(Parse(document, env));
}

// The errors of a document whose only upstream is Twilio's with these changes. Null removes a key.
std::vector<std::string> TwilioErrors(const json& changes, const Environment& env = Variables({})) {
  json document = Document();
  document["upstreams"][0].merge_patch(changes);
  return Errors(document, env);
}

std::vector<std::string> SignalWireErrors(const json& changes) {
  json upstream = SignalWireUpstream();
  upstream.merge_patch(changes);
  return Errors({{"upstreams", json::array({upstream})}});
}

std::vector<std::string> TextErrors(absl::string_view text) {
  return ErrorsOf(ParseConfig(text, Variables({})));
}

std::string WriteFile(const std::string& name, const std::string& text) {
  std::string path = testing::TempDir() + "/config_test_" +
                     testing::UnitTest::GetInstance()->current_test_info()->name() + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

TEST(ParseConfig, SmallestTwilioFileHasAllDefaults) {
  const absl::StatusOr<Config> config = Parse(Document());
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listen, "127.0.0.1:50051");
  EXPECT_EQ(config->metrics_listen, std::nullopt);
  EXPECT_EQ(config->drain_timeout, milliseconds(30000));
  EXPECT_EQ(config->read.limits.max_record_bytes, 1048576u);
  EXPECT_EQ(config->read.limits.max_page_bytes, 268435456u);
  EXPECT_EQ(config->read.limits.max_records_per_page, 10000);
  EXPECT_EQ(config->read.limits.max_pages_per_list, 100000);
  EXPECT_EQ(config->read.limits.max_json_depth, 64);
  EXPECT_EQ(config->calls.send_queue_bytes, 65536u);
  EXPECT_EQ(config->calls.max_calls, 2000);
  EXPECT_EQ(config->breaker.failures, 20);
  EXPECT_EQ(config->breaker.open, milliseconds(5000));
  EXPECT_EQ(config->deadline.otherwise, std::chrono::hours(1));
  EXPECT_EQ(config->deadline.max, std::chrono::hours(24));
  EXPECT_GE(config->event_loops, 1);
  EXPECT_EQ(config->read.retry.max_attempts, 5);
  EXPECT_EQ(config->read.retry.max_attempts_per_page, 50);
  EXPECT_EQ(config->read.retry.initial_backoff, milliseconds(200));
  EXPECT_EQ(config->read.retry.max_backoff, milliseconds(10000));
  EXPECT_TRUE(config->read.prefetch);

  ASSERT_THAT(config->upstreams, SizeIs(1));
  const UpstreamOptions& upstream = config->upstreams[0];
  EXPECT_EQ(upstream.account.name, "main");
  EXPECT_EQ(upstream.account.provider, ProviderType::kTwilio);
  EXPECT_EQ(upstream.account.account_sid, kAccountSid);
  EXPECT_EQ(upstream.account.username, kAccountSid);
  EXPECT_EQ(upstream.account.password.get().reveal(), kHidden);
  EXPECT_EQ(upstream.account.api.ToString(), "https://api.twilio.com");
  EXPECT_EQ(upstream.account.insights.value().ToString(), "https://insights.twilio.com");
  EXPECT_EQ(upstream.transport.connect_timeout, milliseconds(10000));
  EXPECT_EQ(upstream.transport.idle_timeout, milliseconds(60000));
  EXPECT_EQ(upstream.account.options.default_page_size, 1000);
  EXPECT_FALSE(upstream.account.options.strict);
  EXPECT_EQ(upstream.limiter.max_in_flight, 100);
  EXPECT_EQ(upstream.limiter.max_connections, 4000);
  EXPECT_EQ(upstream.limiter.max_waiting, 1000);
  EXPECT_EQ(upstream.transport.ca_file, "");
  EXPECT_EQ(upstream.transport.min_tls_version, TlsVersion::k12);
  EXPECT_FALSE(upstream.transport.http2);
}

// The summary shows every key of a document except those of the account.
void ExpectSummary(const json& document, const Config& config) {
  std::set<std::string> shown;
  for (const auto& [key, value] : Summarize(config)) {
    shown.insert(key);
    EXPECT_THAT(value, Not(HasSubstr(kHidden))) << key;
  }
  for (const auto& [key, value] : document.items()) {
    if (key == "upstreams") continue;
    if (!value.is_object()) {
      EXPECT_TRUE(shown.contains(key)) << key;
      continue;
    }
    for (const auto& [inner, unused] : value.items()) {
      EXPECT_TRUE(shown.contains(key + "." + inner)) << key << "." << inner;
    }
  }
  const std::set<std::string> left_out = {
      "name",       "account_sid", "auth_token",      "api_key",
      "api_secret", "project_id",  "allow_plaintext", "api_token"};
  for (const json& upstream : document["upstreams"]) {
    for (const auto& [key, unused] : upstream.items()) {
      if (left_out.contains(key) || key == "space") continue;
      const std::string path = "upstreams." + upstream["name"].get<std::string>() + "." + key;
      EXPECT_TRUE(shown.contains(path)) << path;
    }
  }
}

TEST(ParseConfig, ReadsEveryKey) {
  const std::string ca_file = WriteFile("ca.pem", kCertificate);
  json twilio = TwilioUpstream();
  twilio.erase("auth_token");
  twilio.update({{"api_key", kApiKey},
                 {"api_secret", kHidden},
                 {"api_base_url", "https://api.dublin.ie1.twilio.com/"},
                 {"insights_base_url", "http://127.0.0.1:8080/insights"},
                 {"connect_timeout_seconds", 0.25},
                 {"idle_timeout_seconds", 7},
                 {"default_page_size", 50},
                 {"strict", true},
                 {"max_requests_in_flight", 1},
                 {"max_connections", 2},
                 {"max_requests_waiting", 3},
                 {"ca_file", ca_file},
                 {"min_tls_version", "1.3"},
                 {"http2", true},
                 {"allow_plaintext", false}});
  json signalwire = SignalWireUpstream();
  signalwire["proxy"] = "http://proxy.internal:3128";
  const json document = {{"listen", "[::]:0"},
                         {"metrics_listen", "127.0.0.1:9464"},
                         {"upstreams", json::array({twilio, signalwire})},
                         {"limits",
                          {{"max_record_bytes", 2048},
                           {"max_page_bytes", 4096},
                           {"max_records_per_page", 5},
                           {"max_pages_per_list", 3},
                           {"max_json_depth", 8},
                           {"send_queue_bytes", 1024},
                           {"max_calls", 7},
                           {"max_calls_per_caller", 3},
                           {"caller_stall_seconds", 2.5}}},
                         {"connections",
                          {{"max_streams", 5},
                           {"max_age_seconds", 60},
                           {"max_idle_seconds", 0.5},
                           {"max_memory_bytes", 2097152}}},
                         {"retry",
                          {{"max_attempts", 1},
                           {"max_attempts_per_page", 7},
                           {"initial_backoff_seconds", 0.001},
                           {"max_backoff_seconds", 60}}},
                         {"circuit_breaker", {{"failures", 2}, {"open_seconds", 0.5}}},
                         {"deadline", {{"default_seconds", 10}, {"max_seconds", 20}}},
                         {"event_loops", 3},
                         {"prefetch", false},
                         {"recording", {{"folder", "/var/lib/recording"}, {"max_bytes", 4096}}},
                         {"drain_timeout_seconds", 1.5}};
  const absl::StatusOr<Config> config = Parse(document);
  ASSERT_TRUE(config.ok()) << config.status();
  ExpectSummary(document, *config);
  EXPECT_EQ(config->listen, "[::]:0");
  EXPECT_EQ(config->metrics_listen, "127.0.0.1:9464");
  EXPECT_EQ(config->drain_timeout, milliseconds(1500));
  EXPECT_EQ(config->calls.max_calls_per_caller, 3);
  EXPECT_EQ(config->calls.caller_stall, milliseconds(2500));
  EXPECT_EQ(config->connections.max_streams, 5);
  EXPECT_EQ(config->connections.max_age, milliseconds(60000));
  EXPECT_EQ(config->connections.max_idle, milliseconds(500));
  EXPECT_EQ(config->connections.max_memory_bytes, 2097152u);
  EXPECT_EQ(config->read.limits.max_record_bytes, 2048u);
  EXPECT_EQ(config->read.limits.max_page_bytes, 4096u);
  EXPECT_EQ(config->read.limits.max_records_per_page, 5);
  EXPECT_EQ(config->read.limits.max_pages_per_list, 3);
  EXPECT_EQ(config->read.limits.max_json_depth, 8);
  EXPECT_EQ(config->calls.send_queue_bytes, 1024u);
  EXPECT_EQ(config->read.retry.max_attempts, 1);
  EXPECT_EQ(config->read.retry.max_attempts_per_page, 7);
  EXPECT_EQ(config->read.retry.initial_backoff, milliseconds(1));
  EXPECT_EQ(config->read.retry.max_backoff, milliseconds(60000));
  EXPECT_EQ(config->calls.max_calls, 7);
  EXPECT_EQ(config->breaker.failures, 2);
  EXPECT_EQ(config->breaker.open, milliseconds(500));
  EXPECT_EQ(config->deadline.otherwise, milliseconds(10000));
  EXPECT_EQ(config->deadline.max, milliseconds(20000));
  EXPECT_EQ(config->event_loops, 3);
  EXPECT_EQ(config->upstreams.at(0).limiter.max_in_flight, 1);
  EXPECT_EQ(config->upstreams.at(0).limiter.max_connections, 2);
  EXPECT_EQ(config->upstreams.at(0).limiter.max_waiting, 3);
  EXPECT_FALSE(config->read.prefetch);
  EXPECT_EQ(config->recording.value().folder, "/var/lib/recording");
  EXPECT_EQ(config->recording.value().max_bytes, 4096u);

  ASSERT_THAT(config->upstreams, SizeIs(2));
  const UpstreamOptions& first = config->upstreams[0];
  EXPECT_EQ(first.account.account_sid, kAccountSid);
  EXPECT_EQ(first.account.username, kApiKey);
  EXPECT_EQ(first.account.password.get().reveal(), kHidden);
  EXPECT_EQ(first.account.api.ToString(), "https://api.dublin.ie1.twilio.com");
  EXPECT_EQ(first.account.insights.value().ToString(), "http://127.0.0.1:8080/insights");
  EXPECT_EQ(first.transport.connect_timeout, milliseconds(250));
  EXPECT_EQ(first.transport.idle_timeout, milliseconds(7000));
  EXPECT_EQ(first.account.options.default_page_size, 50);
  EXPECT_TRUE(first.account.options.strict);
  EXPECT_EQ(first.transport.ca_file, ca_file);
  EXPECT_EQ(first.transport.min_tls_version, TlsVersion::k13);
  EXPECT_TRUE(first.transport.http2);

  const UpstreamOptions& second = config->upstreams[1];
  EXPECT_EQ(second.account.name, "space");
  EXPECT_EQ(first.transport.proxy, std::nullopt);
  EXPECT_EQ(second.transport.proxy, "http://proxy.internal:3128");
  EXPECT_EQ(second.account.provider, ProviderType::kSignalWire);
  EXPECT_EQ(second.account.account_sid, kProjectId);
  EXPECT_EQ(second.account.username, kProjectId);
  EXPECT_EQ(second.account.password.get().reveal(), kHidden);
  EXPECT_EQ(second.account.api.ToString(), "https://example.signalwire.com");
  EXPECT_FALSE(second.account.insights.has_value());
  EXPECT_EQ(second.transport.ca_file, "");
  EXPECT_FALSE(second.transport.http2);
}

TEST(ParseConfig, AcceptsASpaceByNameDomainOrBaseUrl) {
  json upstream = SignalWireUpstream();
  upstream["space"] = "Example.signalwire.com";
  EXPECT_EQ(Parse({{"upstreams", json::array({upstream})}})->upstreams[0].account.api.ToString(),
            "https://example.signalwire.com");
  upstream.erase("space");
  upstream["base_url"] = "https://relay.example:8443/signalwire/";
  EXPECT_EQ(Parse({{"upstreams", json::array({upstream})}})->upstreams[0].account.api.ToString(),
            "https://relay.example:8443/signalwire");
}

TEST(ParseConfig, SyntaxErrorNamesLineAndColumnWithoutText) {
  const std::string not_json = ": not valid JSON (which has no comments and no trailing commas)";
  const std::string too_short = ": not valid JSON: the text ends too early";
  struct {
    absl::string_view text;
    std::string error;
  } const cases[] = {
      {"", "line 1, column 1" + too_short},
      {"{\n  \"upstreams\": [\n", "line 3, column 1" + too_short},
      {"{\"auth_token\": \"hunter2", "line 1, column 24" + too_short},
      {"{\n  \"a\": 1,\n}", "line 3, column 1" + not_json},
      {"{\n  // hunter2\n}", "line 2, column 3" + not_json},
      {"{\"a\": hunter2}", "line 1, column 7" + not_json},
      {"{\"a\" \"hunter2\"}", "line 1, column 14" + not_json},
      {"{\"a\": \"\xff\"}", "line 1, column 8" + not_json},
      {"{} {}", "line 1, column 4" + not_json},
      {"{\"listen\": 1e999}", "not valid JSON: a number is too large"},
  };
  for (const auto& c : cases) EXPECT_THAT(TextErrors(c.text), ElementsAre(c.error)) << c.text;
}

TEST(ParseConfig, RejectsDeepNesting) {
  const std::string deep(100000, '[');
  const std::string closed = absl::StrCat(deep, std::string(100000, ']'));
  EXPECT_THAT(TextErrors(deep), SizeIs(1));
  EXPECT_THAT(TextErrors(closed), ElementsAre("expected an object, not an array"));
  EXPECT_THAT(TextErrors(absl::StrCat("{\"upstreams\":", closed, "}")),
              ElementsAre("upstreams[0]: expected an object, not an array"));
}

TEST(ParseConfig, RejectsDuplicateKeys) {
  EXPECT_THAT(
      TextErrors(R"({"listen": "a:1", "listen": "hunter2:2",
                     "upstreams": [
                       {"name": "x", "provider": "signalwire", "space": "x", "api_token": "hunter2",
                        "project_id": "b3877c40-da60-4998-90ad-b792e98472af"},
                       {"name": "y", "provider": "signalwire", "space": "x",
                        "api_token": {"env": "A", "env": "B"}, "name": "z",
                        "project_id": "b3877c40-da60-4998-90ad-b792e98472af"}]})"),
      ElementsAre("listen: the key occurs more than once",
                  "upstreams[1].api_token.env: the key occurs more than once",
                  "upstreams[1].name: the key occurs more than once",
                  "upstreams[1].api_token.env: there is no environment variable of this name"));
  // The same key in two objects is not a duplicate.
  EXPECT_THAT(TextErrors(R"({"upstreams": [{"name": "x"}, {"name": "y"}]})"),
              ElementsAre("upstreams[0].provider: missing; expected \"twilio\" or \"signalwire\"",
                          "upstreams[1].provider: missing; expected \"twilio\" or \"signalwire\""));
}

TEST(ParseConfig, RejectsUnknownKeysAndSuggestsTheNearestName) {
  EXPECT_THAT(
      TwilioErrors({{"acount_sid", kAccountSid}, {"account_sid", nullptr}}),
      ElementsAre("upstreams[0].account_sid: missing; expected \"AC\" and 32 hexadecimal digits",
                  "upstreams[0].acount_sid: unknown key; did you mean account_sid?"));
  EXPECT_THAT(TwilioErrors({{"Strict", true}}),
              ElementsAre("upstreams[0].Strict: unknown key; did you mean strict?"));
  EXPECT_THAT(
      TwilioErrors({{"space", "x"}}),
      ElementsAre(StartsWith("upstreams[0].space: unknown key; known here: name, provider, ")));
  EXPECT_THAT(TwilioErrors({{"provider", nullptr}, {"provder", "twilio"}}),
              ElementsAre("upstreams[0].provider: missing; expected \"twilio\" or \"signalwire\"",
                          "upstreams[0].provder: unknown key; did you mean provider?"));
  EXPECT_THAT(
      TwilioErrors({{"auth_token", {{"envv", "X"}}}}),
      ElementsAre("upstreams[0].auth_token.envv: unknown key; did you mean env?",
                  "upstreams[0].auth_token: expected a string, {\"env\": \"NAME\"} or {\"file\": "
                  "\"/path\"}: one of the two keys"));
  json document = Document();
  document["limit"] = json::object();
  document["limits"]["max_page_byte"] = 1;
  document["$schema"] = "x";
  EXPECT_THAT(Errors(document),
              ElementsAre("limits.max_page_byte: unknown key; did you mean max_page_bytes?",
                          "$schema: unknown key; known here: listen, tls, allow_plaintext_callers, "
                          "policy_file, reflection, metrics_listen, metrics_token, log_calls, "
                          "upstreams, resume_key, limits, connections, retry, circuit_breaker, "
                          "deadline, event_loops, prefetch, recording, drain_timeout_seconds",
                          "limit: unknown key; did you mean limits?"));
  // Keys cannot forge lines or paths.
  EXPECT_THAT(
      TextErrors("{\"a\\nb.c\": 1, \"\": 2, \"\\u00e9\": 3}"),
      ElementsAre("upstreams: expected an array of at least one upstream",
                  StartsWith("[\"\"]: unknown key"), StartsWith("[\"a\\nb.c\"]: unknown key"),
                  StartsWith("[\"\\u00e9\"]: unknown key")));
}

TEST(ParseConfig, RejectsWrongTypesOfDocumentAndLists) {
  EXPECT_THAT(TextErrors("[]"), ElementsAre("expected an object, not an array"));
  EXPECT_THAT(TextErrors("null"), ElementsAre("expected an object, not null"));
  EXPECT_THAT(TextErrors("\"hunter2\""), ElementsAre("expected an object, not a string"));
  const auto no_upstreams = ElementsAre("upstreams: expected an array of at least one upstream");
  EXPECT_THAT(TextErrors("{}"), no_upstreams);
  EXPECT_THAT(TextErrors(R"({"upstreams": []})"), no_upstreams);
  EXPECT_THAT(TextErrors(R"({"upstreams": {}})"), no_upstreams);
  EXPECT_THAT(TextErrors(R"({"upstreams": "hunter2"})"), no_upstreams);
  EXPECT_THAT(TextErrors(R"({"upstreams": ["hunter2", 5]})"),
              ElementsAre("upstreams[0]: expected an object, not a string",
                          "upstreams[1]: expected an object, not a number"));
  json document = Document();
  document["limits"] = json::array();
  EXPECT_THAT(Errors(document), ElementsAre("limits: expected an object, not an array"));
}

TEST(ParseConfig, ChecksListenAddresses) {
  json document = Document();
  for (const char* listen :
       {"127.0.0.1:0", "0.0.0.0:50051", "localhost:65535", "[::1]:1", "[::]:50051",
        "[::ffff:1.2.3.4]:1", "rollcall.internal:80", "unix:/run/rollcalld/socket"}) {
    document["listen"] = listen;
    EXPECT_THAT(Errors(document), IsEmpty()) << listen;
  }
  for (const char* listen :
       {"",
        "50051",
        ":50051",
        "host",
        "host:",
        "host:x",
        "host:65536",
        "host:-1",
        "host:+1",
        "host: 1",
        "host:000001",
        "::1:50051",
        "[::1]",
        "[]:1",
        "[host]:1",
        "[::1:1",
        "http://hunter2:1",
        "a b:1",
        "unix:",
        "unix:x",
        "unix:/",
        "unix://",
        "unix:/x/",
        "unix:/run/a-path-of-108-bytes-has-no-room-for-the-byte-that-ends-it-in-what-the-kernel-"
        "takes-as-an-address-and-so"}) {
    document["listen"] = listen;
    EXPECT_THAT(
        Errors(document),
        ElementsAre("listen: expected host:port, such as \"127.0.0.1:50051\", \"0.0.0.0:50051\" or "
                    "\"[::]:50051\", or \"unix:/path/to/socket\""))
        << listen;
  }
  document["listen"] = 50051;
  EXPECT_THAT(Errors(document), ElementsAre(StartsWith("listen: expected host:port")));
}

TEST(CheckListen, RejectsPlaintextForOtherMachinesUnlessAllowed) {
  Config config = *Parse(Document());
  for (const char* own : {"127.0.0.1:0", "127.9.9.9:1", "localhost:1", "[::1]:1", "unix:/run/x"}) {
    config.listen = own;
    EXPECT_TRUE(CheckListen(config).ok()) << own;
  }
  for (const char* other : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "rollcall.internal:1",
                            "localhost.example.com:1", "127.example.com:1", "128.0.0.1:1"}) {
    config.listen = other;
    EXPECT_THAT(CheckListen(config).message(), HasSubstr("listen: other machines can reach"));
  }
  config.allow_plaintext_callers = true;
  EXPECT_TRUE(CheckListen(config).ok());
  config.allow_plaintext_callers = false;
  config.tls = ServerTlsOptions{};
  EXPECT_TRUE(CheckListen(config).ok());
}

TEST(ParseConfig, ChecksProxies) {
  const auto proxy = [](const std::string& text) {
    json document = Document();
    document["upstreams"][0]["proxy"] = text;
    const absl::StatusOr<Config> config = Parse(document);
    EXPECT_TRUE(config.ok()) << config.status();
    return config.ok() ? config->upstreams[0].transport.proxy : std::nullopt;
  };
  EXPECT_EQ(proxy("none"), "");
  // The port is always set: without one, libcurl would use 1080.
  EXPECT_EQ(proxy("http://proxy"), "http://proxy:80");
  EXPECT_EQ(proxy("http://[::1]:3128/"), "http://[::1]:3128");
  EXPECT_EQ(proxy("https://proxy"), "https://proxy:443");

  for (const char* bad : {"", "proxy:3128", "socks5://proxy", "http://user:hunter2@proxy:3128"}) {
    EXPECT_THAT(TwilioErrors({{"proxy", bad}}), ElementsAre(StartsWith("upstreams[0].proxy: ")))
        << bad;
  }
  EXPECT_THAT(TwilioErrors({{"proxy", "http://proxy:3128/path"}}),
              ElementsAre("upstreams[0].proxy: must have no path"));
  EXPECT_THAT(TwilioErrors({{"proxy", true}}),
              ElementsAre("upstreams[0].proxy: expected \"none\", or a string such as "
                          "\"http://proxy:3128\", not a boolean"));
  const json plain = {{"api_base_url", "http://127.0.0.1:1"}};
  json with_proxy = plain;
  with_proxy["proxy"] = "http://proxy:3128";
  EXPECT_THAT(TwilioErrors(with_proxy),
              ElementsAre("upstreams[0].proxy: http base URLs are never reached through a proxy: "
                          "use https"));
  with_proxy["proxy"] = "none";
  EXPECT_THAT(TwilioErrors(with_proxy), IsEmpty());
}

// The errors of a document with these files of certificates.
std::vector<std::string> TlsErrors(const json& tls) {
  json document = Document();
  document["tls"] = tls;
  return Errors(document);
}

TEST(ParseConfig, RejectsTlsFilesThatAreMissingOrDoNotMatch) {
  const Certificate authority = Certificate::Authority();
  const Certificate server = authority.Sign("localhost");
  const std::string certificate = WriteFile("tls_certificate", server.certificate());
  const std::string key = WriteFile("tls_key", server.key());
  const std::string ca = WriteFile("tls_ca", authority.certificate());
  json document = Document();
  document["tls"] = {{"certificate_file", certificate}, {"private_key_file", key}};
  absl::StatusOr<Config> config = Parse(document);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->tls->client_certificates, ServerTlsOptions::ClientCertificates::kNone);
  document["tls"]["client_ca_file"] = ca;
  EXPECT_EQ(Parse(document)->tls->client_certificates,
            ServerTlsOptions::ClientCertificates::kRequired);

  EXPECT_THAT(TlsErrors(json::object()),
              ElementsAre("tls.certificate_file: missing; expected the path of a file",
                          "tls.private_key_file: missing; expected the path of a file"));
  EXPECT_THAT(TlsErrors({{"certificate_file", "/absent"}, {"private_key_file", "/absent"}}),
              ElementsAre("tls.certificate_file: cannot open the file: No such file or directory",
                          "tls.private_key_file: cannot open the file: No such file or directory"));
  EXPECT_THAT(TlsErrors({{"certificate_file", key}, {"private_key_file", certificate}}),
              ElementsAre("tls.certificate_file: the file holds no certificate in PEM form, or one "
                          "that is broken"));
  EXPECT_THAT(TlsErrors({{"certificate_file", certificate}, {"private_key_file", certificate}}),
              ElementsAre("tls.private_key_file: the file holds no private key in PEM form without "
                          "a password"));
  const Certificate other = authority.Sign("localhost");
  EXPECT_THAT(TlsErrors({{"certificate_file", certificate},
                         {"private_key_file", WriteFile("tls_other_key", other.key())}}),
              ElementsAre("tls.private_key_file: the key does not belong to the first certificate "
                          "of tls.certificate_file"));
  // One file may hold certificate and key.
  EXPECT_THAT(TlsErrors({{"certificate_file", certificate},
                         {"private_key_file",
                          WriteFile("tls_pair", authority.certificate() + server.key())}}),
              IsEmpty());
  const Certificate short_key = authority.SignShortKey("localhost");
  EXPECT_THAT(TlsErrors({{"certificate_file", WriteFile("tls_short", short_key.certificate())},
                         {"private_key_file", WriteFile("tls_short_key", short_key.key())}}),
              ElementsAre(HasSubstr("tls.certificate_file: OpenSSL rejects it")));
  EXPECT_THAT(
      TlsErrors({{"certificate_file",
                  WriteFile("tls_short_chain", server.certificate() + short_key.certificate())},
                 {"private_key_file", key}}),
      ElementsAre(HasSubstr("tls.certificate_file: OpenSSL rejects it")));
  EXPECT_THAT(TlsErrors({{"certificate_file", "/dev/null"}, {"private_key_file", "/dev/null"}}),
              ElementsAre("tls.certificate_file: is not a regular file",
                          "tls.private_key_file: is not a regular file"));
  const Certificate expired = authority.Sign("localhost", -7200, -3600);
  EXPECT_THAT(TlsErrors({{"certificate_file", WriteFile("tls_expired", expired.certificate())},
                         {"private_key_file", WriteFile("tls_expired_key", expired.key())}}),
              ElementsAre("tls.certificate_file: the certificate has expired"));
  EXPECT_THAT(TlsErrors({{"certificate_file", certificate},
                         {"private_key_file", key},
                         {"client_ca_file", key},
                         {"client_certificates", "sometimes"}}),
              ElementsAre("tls.client_certificates: expected \"required\" or \"optional\"",
                          "tls.client_ca_file: the file holds no certificate in PEM form, or one "
                          "that is broken"));
  EXPECT_THAT(TlsErrors({{"certificate_file", certificate},
                         {"private_key_file", key},
                         {"client_certificates", "required"}}),
              ElementsAre("tls.client_ca_file: missing beside client_certificates; expected the "
                          "path of a file"));
}

TEST(ParseConfig, ChecksMetricsListenAddresses) {
  json document = Document();
  document["metrics_listen"] = "0.0.0.0:9464";
  EXPECT_THAT(Errors(document), IsEmpty());
  // The admin server would understand a list of ports, or a port with options.
  for (const json& listen : {json(""), json("9464"), json("127.0.0.1:9464s"),
                             json("127.0.0.1:1,127.0.0.1:2"), json("+9464"), json(9464)}) {
    document["metrics_listen"] = listen;
    EXPECT_THAT(Errors(document),
                ElementsAre(StartsWith("metrics_listen: expected host:port, such as "
                                       "\"127.0.0.1:9464\" or \"0.0.0.0:9464\"")))
        << listen;
  }
}

TEST(ParseConfig, ChecksNamesAndProviders) {
  for (const json& name : {json(""), json("hunter2 "), json("a/b"), json("\xc3\xa9"), json("a\nb"),
                           json(std::string(64, 'a'))}) {
    EXPECT_THAT(
        TwilioErrors({{"name", name}}),
        ElementsAre("upstreams[0].name: expected 1 to 63 letters, digits, '-', '_' or '.'"));
  }
  EXPECT_THAT(
      TwilioErrors({{"name", 7}}),
      ElementsAre(
          "upstreams[0].name: expected 1 to 63 letters, digits, '-', '_' or '.', not a number"));
  EXPECT_THAT(
      TwilioErrors({{"name", nullptr}}),
      ElementsAre("upstreams[0].name: missing; expected 1 to 63 letters, digits, '-', '_' or '.'"));
  EXPECT_THAT(TwilioErrors({{"provider", kHidden}}),
              ElementsAre("upstreams[0].provider: expected \"twilio\" or \"signalwire\""));
  json second = SignalWireUpstream();
  second["name"] = "main";
  EXPECT_THAT(Errors({{"upstreams", json::array({TwilioUpstream(), second})}}),
              ElementsAre("upstreams[1].name: another upstream has this name already"));
}

TEST(ParseConfig, ChecksTwilioCredentials) {
  const std::string wrong_sid =
      "upstreams[0].account_sid: expected \"AC\" and 32 hexadecimal digits";
  for (const char* sid :
       {"", kHidden, "AC", "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", kApiKey,
        "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaag",
        "acaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "AC/../aaaaaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    EXPECT_THAT(TwilioErrors({{"account_sid", sid}}), ElementsAre(wrong_sid)) << sid;
  }
  EXPECT_THAT(
      TwilioErrors({{"auth_token", nullptr}}),
      ElementsAre("upstreams[0].auth_token: missing; give auth_token, or api_key with api_secret"));
  EXPECT_THAT(
      TwilioErrors({{"auth_token", nullptr}, {"api_key", kApiKey}}),
      ElementsAre("upstreams[0].api_secret: missing beside api_key; expected a string, {\"env\": "
                  "\"NAME\"} or {\"file\": \"/path\"}"));
  EXPECT_THAT(TwilioErrors({{"auth_token", nullptr}, {"api_secret", kHidden}}),
              ElementsAre("upstreams[0].api_key: missing beside api_secret; expected \"SK\" and 32 "
                          "hexadecimal digits"));
  EXPECT_THAT(
      TwilioErrors({{"api_key", kApiKey}, {"api_secret", kHidden}}),
      ElementsAre(
          "upstreams[0].auth_token: give either auth_token or api_key with api_secret, not both"));
  EXPECT_THAT(
      TwilioErrors({{"auth_token", nullptr}, {"api_key", kHidden}, {"api_secret", kHidden}}),
      ElementsAre("upstreams[0].api_key: expected \"SK\" and 32 hexadecimal digits"));
}

TEST(ParseConfig, ChecksSignalWireCredentials) {
  for (const char* id :
       {"", kHidden, kAccountSid, "b3877c40-da60-4998-90ad-b792e98472a",
        "b3877c40-da60-4998-90ad-b792e98472aff", "b3877c40xda60-4998-90ad-b792e98472af",
        "g3877c40-da60-4998-90ad-b792e98472af"}) {
    EXPECT_THAT(SignalWireErrors({{"project_id", id}}),
                ElementsAre("upstreams[0].project_id: expected a UUID"))
        << id;
  }
  EXPECT_THAT(
      SignalWireErrors({{"project_id", nullptr}, {"api_token", nullptr}, {"space", nullptr}}),
      ElementsAre("upstreams[0].project_id: missing; expected a UUID",
                  "upstreams[0].api_token: missing; expected a string, {\"env\": \"NAME\"} or "
                  "{\"file\": \"/path\"}",
                  "upstreams[0].space: missing; expected the name of a SignalWire space, such as "
                  "\"example\" or \"example.signalwire.com\", or base_url"));
  EXPECT_THAT(SignalWireErrors({{"base_url", "https://example.signalwire.com"}}),
              ElementsAre("upstreams[0].space: give either space or base_url, not both"));
  for (const char* space : {"", "https://hunter2", "a.b", "hunter2.evil.example", "a/b", "-a", "a-",
                            ".signalwire.com", "a.signalwire.com.signalwire.com", "a@b", "a b"}) {
    EXPECT_THAT(SignalWireErrors({{"space", space}}),
                ElementsAre("upstreams[0].space: expected the name of a SignalWire space, such as "
                            "\"example\" or \"example.signalwire.com\""))
        << space;
  }
  EXPECT_THAT(SignalWireErrors({{"account_sid", kAccountSid}}),
              ElementsAre(StartsWith("upstreams[0].account_sid: unknown key")));
}

TEST(ParseConfig, ReadsSecretsFromTheEnvironment) {
  json document = Document();
  document["upstreams"][0]["auth_token"] = {{"env", "TOKEN"}};
  const absl::StatusOr<Config> config = Parse(document, Variables({{"TOKEN", kHidden}}));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->upstreams[0].account.password.get().reveal(), kHidden);

  EXPECT_THAT(
      Errors(document),
      ElementsAre("upstreams[0].auth_token.env: there is no environment variable of this name"));
  EXPECT_THAT(Errors(document, Variables({{"TOKEN", ""}})),
              ElementsAre("upstreams[0].auth_token: must not be empty"));
  EXPECT_THAT(
      Errors(document, Variables({{"TOKEN", "hunter2\n"}})),
      ElementsAre(
          "upstreams[0].auth_token: must not contain line breaks or other control characters"));
  // The secret itself instead of the variable's name.
  EXPECT_THAT(
      TwilioErrors({{"auth_token", {{"env", kHidden}}}}),
      ElementsAre("upstreams[0].auth_token.env: there is no environment variable of this name"));
}

TEST(ParseConfig, RejectsShortResumeKeys) {
  json document = Document();
  EXPECT_FALSE(Parse(document)->resume_key.has_value());
  const std::string key(32, 'k');
  document["resume_key"] = {{"file", WriteFile("resume_key", absl::StrCat(key, "\n"))}};
  const absl::StatusOr<Config> config = Parse(document);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->resume_key->get().reveal(), key);
  EXPECT_EQ(config->resume_key->file(), document["resume_key"]["file"].get<std::string>());

  document["resume_key"] = std::string(31, 'k');
  EXPECT_THAT(Errors(document), ElementsAre("resume_key: must have at least 32 bytes"));
  document["resume_key"] = "";
  EXPECT_THAT(Errors(document), ElementsAre("resume_key: must not be empty"));
  document["resume_key"] = 5;
  EXPECT_THAT(Errors(document), ElementsAre(HasSubstr("resume_key: expected a string")));
}

TEST(ParseConfig, ReadsSecretsFromFiles) {
  json document = Document();
  document["upstreams"][0]["auth_token"] = {{"file", ""}};
  json& source = document["upstreams"][0]["auth_token"]["file"];
  for (const char* end : {"", "\n", "\r\n", "\n\n"}) {
    source = WriteFile("good", absl::StrCat(kHidden, end));
    const absl::StatusOr<Config> config = Parse(document);
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ(config->upstreams[0].account.password.get().reveal(), kHidden);
  }
  source = WriteFile("empty", "\n");
  EXPECT_THAT(Errors(document), ElementsAre("upstreams[0].auth_token: must not be empty"));
  source = WriteFile("lines", "hunter2\nhunter2\n");
  EXPECT_THAT(Errors(document), ElementsAre(HasSubstr("must not contain line breaks")));
  source = WriteFile("long", std::string(4097, 'x'));
  EXPECT_THAT(Errors(document),
              ElementsAre("upstreams[0].auth_token: must not be longer than 4096 bytes"));
  // Text after a line break at the very end of the longest file.
  source = WriteFile("long", absl::StrCat(std::string(4096, 'x'), "\r\n", "y"));
  EXPECT_THAT(Errors(document), ElementsAre("upstreams[0].auth_token.file: the file must not be "
                                            "longer than 4098 bytes"));
  source = WriteFile("long", absl::StrCat(std::string(4096, 'x'), "\r\n"));
  EXPECT_THAT(Errors(document), IsEmpty());
  source = testing::TempDir() + "/config_test/hunter2/is/not/there";
  EXPECT_THAT(
      Errors(document),
      ElementsAre("upstreams[0].auth_token.file: cannot open the file: No such file or directory"));
  source = testing::TempDir();
  EXPECT_THAT(Errors(document),
              ElementsAre("upstreams[0].auth_token.file: cannot read the file: Is a directory"));
}

TEST(ParseConfig, RejectsSecretsOfTheWrongForm) {
  const std::string expected =
      "upstreams[0].auth_token: expected a string, {\"env\": \"NAME\"} or {\"file\": \"/path\"}";
  for (const json& token : {json(5), json(true), json::array({kHidden})}) {
    EXPECT_THAT(TwilioErrors({{"auth_token", token}}), ElementsAre(expected));
  }
  json document = Document();
  document["upstreams"][0]["auth_token"] = nullptr;
  EXPECT_THAT(Errors(document), ElementsAre(expected));
  document["upstreams"][0]["auth_token"] = json::object();
  EXPECT_THAT(Errors(document), ElementsAre(expected + ": one of the two keys"));
  document["upstreams"][0]["auth_token"] = {{"env", kHidden}, {"file", kHidden}};
  EXPECT_THAT(Errors(document), ElementsAre(expected + ": one of the two keys"));
  EXPECT_THAT(TwilioErrors({{"auth_token", {{"env", 5}}}}),
              ElementsAre("upstreams[0].auth_token.env: expected the name of an environment "
                          "variable, not a number"));
  EXPECT_THAT(TwilioErrors({{"auth_token", {{"file", ""}}}}),
              ElementsAre("upstreams[0].auth_token.file: expected the path of a file"));
  EXPECT_THAT(TwilioErrors({{"auth_token", ""}}),
              ElementsAre("upstreams[0].auth_token: must not be empty"));
}

TEST(ParseConfig, RejectsPlaintextBaseUrlsUnlessAllowed) {
  const std::string refused =
      "http would send the credentials unencrypted to another machine: use https, or set "
      "allow_plaintext to "
      "true beside it";
  EXPECT_THAT(TwilioErrors({{"api_base_url", "http://api.example"},
                            {"insights_base_url", "http://10.0.0.1"}}),
              ElementsAre("upstreams[0].api_base_url: " + refused,
                          "upstreams[0].insights_base_url: " + refused));
  EXPECT_THAT(SignalWireErrors({{"space", nullptr}, {"base_url", "http://127.0.0.1.example"}}),
              ElementsAre("upstreams[0].base_url: " + refused));
  EXPECT_THAT(TwilioErrors({{"api_base_url", "http://api.example"}, {"allow_plaintext", true}}),
              IsEmpty());
  for (const char* url :
       {"http://localhost:1", "http://127.0.0.1:1", "http://127.1.2.3", "http://[::1]:1"}) {
    EXPECT_THAT(TwilioErrors({{"api_base_url", url}}), IsEmpty()) << url;
  }
}

TEST(ParseConfig, RejectsBaseUrlsThatAreNotUrls) {
  EXPECT_THAT(TwilioErrors({{"api_base_url", "https://user:hunter2@host"}}),
              ElementsAre("upstreams[0].api_base_url: must not contain user information"));
  EXPECT_THAT(TwilioErrors({{"insights_base_url", "insights.twilio.com"}}),
              ElementsAre("upstreams[0].insights_base_url: must begin with https:// or http://"));
  EXPECT_THAT(
      TwilioErrors({{"api_base_url", 5}}),
      ElementsAre("upstreams[0].api_base_url: expected a string such as \"https://host\" or "
                  "\"https://host:8443/path\", not a number"));
}

TEST(ParseConfig, RejectsCaFilesWithoutCertificates) {
  const std::string certificate = kCertificate;
  // Text around a certificate is common and ignored. More than one certificate is a bundle.
  for (const std::string& good :
       {"Test CA\n=======\n" + certificate, certificate + certificate + "the end"}) {
    EXPECT_THAT(TwilioErrors({{"ca_file", WriteFile("good", good)}}), IsEmpty()) << good;
  }

  const std::string none = "the file holds no certificate in PEM form, or one that is broken";
  std::string broken = certificate;
  broken[broken.size() / 2] = '?';
  for (const std::string& bad :
       {std::string(), std::string(kHidden), std::string("\0\x30\x82", 3), broken,
        certificate + broken, certificate.substr(0, certificate.size() / 2),
        certificate.substr(certificate.find('\n')),
        std::string("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----\n")}) {
    EXPECT_THAT(TwilioErrors({{"ca_file", WriteFile("bad", bad)}}),
                ElementsAre("upstreams[0].ca_file: " + none))
        << bad;
  }
  EXPECT_THAT(TwilioErrors({{"ca_file", WriteFile("long", std::string((4 << 20) + 1, '\n'))}}),
              ElementsAre("upstreams[0].ca_file: the file must not be longer than 4194304 bytes"));
  EXPECT_THAT(TwilioErrors({{"ca_file", testing::TempDir() + "/absent"}}),
              ElementsAre("upstreams[0].ca_file: cannot open the file: No such file or directory"));
  EXPECT_THAT(TwilioErrors({{"ca_file", testing::TempDir()}}),
              ElementsAre("upstreams[0].ca_file: cannot read the file: Is a directory"));
  EXPECT_THAT(TwilioErrors({{"ca_file", ""}}),
              ElementsAre("upstreams[0].ca_file: expected the path of a file"));
  EXPECT_THAT(TwilioErrors({{"ca_file", WriteFile("good", certificate) + std::string("\0x", 2)}}),
              ElementsAre("upstreams[0].ca_file: expected the path of a file"));
  EXPECT_THAT(TwilioErrors({{"ca_file", {{"file", kHidden}}}}),
              ElementsAre("upstreams[0].ca_file: expected the path of a file, not an object"));
}

TEST(ParseConfig, ChecksTypesAndRangesOfNumbersAndBooleans) {
  for (const json& size : {json(0), json(-1), json(1001), json(10.0), json(10.5), json(1e300),
                           json(UINT64_MAX), json(INT64_MIN)}) {
    EXPECT_THAT(
        TwilioErrors({{"default_page_size", size}}),
        ElementsAre("upstreams[0].default_page_size: expected a whole number from 1 to 1000"))
        << size;
  }
  EXPECT_THAT(
      TwilioErrors({{"default_page_size", "50"}}),
      ElementsAre(
          "upstreams[0].default_page_size: expected a whole number from 1 to 1000, not a string"));
  for (const json& seconds : {json(0), json(-1), json(0.0001), json(600.5), json(1e300)}) {
    EXPECT_THAT(
        TwilioErrors({{"connect_timeout_seconds", seconds}}),
        ElementsAre(
            "upstreams[0].connect_timeout_seconds: expected a number of seconds from 0.001 to 600"))
        << seconds;
  }
  EXPECT_THAT(
      TwilioErrors({{"idle_timeout_seconds", "1s"}}),
      ElementsAre(
          "upstreams[0].idle_timeout_seconds: expected a number of seconds from 0.001 to 3600, "
          "not a string"));
  EXPECT_THAT(TwilioErrors({{"min_tls_version", "1.1"}}),
              ElementsAre("upstreams[0].min_tls_version: expected \"1.2\" or \"1.3\""));
  EXPECT_THAT(TwilioErrors({{"strict", "yes"}, {"allow_plaintext", 1}, {"http2", "2"}}),
              ElementsAre("upstreams[0].allow_plaintext: expected true or false, not a number",
                          "upstreams[0].strict: expected true or false, not a string",
                          "upstreams[0].http2: expected true or false, not a string"));
  json document = Document();
  document["strict"] = nullptr;
  document["drain_timeout_seconds"] = nullptr;
  document["limits"] = {{"max_record_bytes", 1023},
                        {"max_page_bytes", -1},
                        {"max_pages_per_list", 0},
                        {"max_json_depth", 7},
                        {"send_queue_bytes", 1e6}};
  document["recording"] = {{"max_bytes", 0}};
  EXPECT_THAT(
      Errors(document),
      ElementsAre("limits.max_record_bytes: expected a whole number from 1024 to 67108864",
                  "limits.max_page_bytes: expected a whole number from 1024 to 68719476736",
                  "limits.max_pages_per_list: expected a whole number from 1 to 1000000000",
                  "limits.max_json_depth: expected a whole number from 8 to 1024",
                  "limits.send_queue_bytes: expected a whole number from 1024 to 67108864",
                  "recording.folder: missing; expected the path of a folder",
                  "recording.max_bytes: expected a whole number from 1024 to 1099511627776",
                  "drain_timeout_seconds: expected a number of seconds from 0 to 3600, not null",
                  StartsWith("strict: unknown key")));
  document = Document();
  document["limits"] = {{"max_record_bytes", 4096}, {"max_page_bytes", 2048}};
  EXPECT_THAT(Errors(document),
              ElementsAre("limits.max_record_bytes: must not be more than max_page_bytes"));
  document = Document();
  document["circuit_breaker"] = {{"failures", 0}, {"open_seconds", 0}};
  document["deadline"] = {{"default_seconds", 21}, {"max_seconds", 20}};
  document["event_loops"] = 65;
  document["limits"] = {{"max_calls", 0}};
  EXPECT_THAT(
      Errors(document),
      ElementsAre("limits.max_calls: expected a whole number from 1 to 1000000",
                  "circuit_breaker.failures: expected a whole number from 1 to 1000000",
                  "circuit_breaker.open_seconds: expected a number of seconds from 0.001 to 3600",
                  "deadline.default_seconds: must not be more than max_seconds",
                  "event_loops: expected a whole number from 1 to 64"));
  EXPECT_THAT(
      TwilioErrors({{"max_requests_in_flight", 0}, {"max_connections", 1.5}}),
      ElementsAre("upstreams[0].max_requests_in_flight: expected a whole number from 1 to 1000000",
                  "upstreams[0].max_connections: expected a whole number from 1 to 1000000"));
}

TEST(ParseConfig, ShortMaximumDeadlineShortensTheDefault) {
  json document = Document();
  document["deadline"] = {{"max_seconds", 60}};
  const absl::StatusOr<Config> config = Parse(document);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->deadline.otherwise, milliseconds(60000));
}

TEST(ParseConfig, OneSettingMovesTheDefaultOfTheOther) {
  json document = Document();
  document["upstreams"][0]["max_connections"] = 30;
  document["retry"] = {{"max_backoff_seconds", 0.1}};
  absl::StatusOr<Config> config = Parse(document);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->upstreams[0].limiter.max_in_flight, 30);
  EXPECT_EQ(config->read.retry.initial_backoff, milliseconds(100));

  document = Document();
  document["upstreams"][0]["max_requests_in_flight"] = 5000;
  document["retry"] = {{"initial_backoff_seconds", 30}};
  config = Parse(document);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->upstreams[0].limiter.max_connections, 10000);
  EXPECT_EQ(config->read.retry.max_backoff, milliseconds(30000));
}

TEST(ParseConfig, RefusesSettingsThatContradictEachOther) {
  json document = Document();
  document["upstreams"][0]["max_requests_in_flight"] = 31;
  document["upstreams"][0]["max_connections"] = 30;
  document["limits"] = {{"max_calls", 10}, {"max_calls_per_caller", 11}};
  document["retry"] = {{"initial_backoff_seconds", 2}, {"max_backoff_seconds", 1}};
  EXPECT_THAT(
      Errors(document),
      ElementsAre("upstreams[0].max_requests_in_flight: must not be more than max_connections",
                  "limits.max_calls_per_caller: must not be more than max_calls",
                  "retry.initial_backoff_seconds: must not be more than max_backoff_seconds"));
}

TEST(ParseConfig, ReportsAllErrorsTogether) {
  EXPECT_THAT(TextErrors(R"({"listen": 1, "upstreams": [
                {"name": "", "provider": "twilio", "account_sid": "hunter2", "auth_token": 5},
                {"provider": "signalwire", "space": "hunter2/"}], "limits": 5, "x": 1})"),
              SizeIs(10));
}

TEST(ParseConfig, ReportsTheFirstOfManyErrors) {
  json document = Document();
  for (int i = 0; i < 60; ++i) document[absl::StrCat("x", i)] = 1;
  EXPECT_THAT(Errors(document), SizeIs(51));
  EXPECT_EQ(Errors(document).back(), "and 10 more");
}

TEST(ParseConfig, RejectsANulInsteadOfStoppingThere) {
  std::string text = Document().dump();
  text.push_back('\0');
  EXPECT_THAT(TextErrors(text), ElementsAre("contains a NUL character"));
  EXPECT_THAT(TextErrors(text + "}"), ElementsAre("contains a NUL character"));
}

TEST(LoadConfigFile, ErrorsStartWithThePath) {
  const std::string good = WriteFile("good", Document().dump());
  EXPECT_TRUE(LoadConfigFile(good, Variables({})).ok());

  const std::string bad = WriteFile("bad", R"({"listen": 1, "upstreams": []})");
  EXPECT_THAT(ErrorsOf(LoadConfigFile(bad, Variables({}))),
              ElementsAre(StartsWith(bad + ": listen: expected"),
                          bad + ": upstreams: expected an array of at least one upstream"));

  const std::string huge = WriteFile("huge", std::string(1048577, ' '));
  EXPECT_THAT(ErrorsOf(LoadConfigFile(huge, Variables({}))),
              ElementsAre(huge + ": the file must not be longer than 1048576 bytes"));

  const absl::StatusOr<Config> absent = LoadConfigFile(good + ".absent", Variables({}));
  EXPECT_EQ(absent.status().message(),
            good + ".absent: cannot open the file: No such file or directory");
  EXPECT_EQ(absent.status().code(), absl::StatusCode::kNotFound);
}

TEST(ConfigFromEnvironment, ReadsTwilioWithEitherCredential) {
  absl::StatusOr<Config> config = ConfigFromEnvironment(
      Variables({{"TWILIO_ACCOUNT_SID", kAccountSid}, {"TWILIO_AUTH_TOKEN", kHidden}}));
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_THAT(config->upstreams, SizeIs(1));
  EXPECT_EQ(config->listen, "127.0.0.1:50051");
  EXPECT_EQ(config->upstreams[0].account.name, "twilio");
  EXPECT_EQ(config->upstreams[0].account.provider, ProviderType::kTwilio);
  EXPECT_EQ(config->upstreams[0].account.account_sid, kAccountSid);
  EXPECT_EQ(config->upstreams[0].account.username, kAccountSid);
  EXPECT_EQ(config->upstreams[0].account.password.get().reveal(), kHidden);
  EXPECT_EQ(config->upstreams[0].account.api.ToString(), "https://api.twilio.com");
  EXPECT_EQ(config->upstreams[0].account.insights.value().ToString(),
            "https://insights.twilio.com");

  // The API key takes precedence over the auth token. An empty variable counts as not set.
  config = ConfigFromEnvironment(Variables({{"TWILIO_ACCOUNT_SID", kAccountSid},
                                            {"TWILIO_AUTH_TOKEN", "other"},
                                            {"TWILIO_API_KEY", kApiKey},
                                            {"TWILIO_API_SECRET", kHidden},
                                            {"SIGNALWIRE_SPACE", ""}}));
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_THAT(config->upstreams, SizeIs(1));
  EXPECT_EQ(config->upstreams[0].account.account_sid, kAccountSid);
  EXPECT_EQ(config->upstreams[0].account.username, kApiKey);
  EXPECT_EQ(config->upstreams[0].account.password.get().reveal(), kHidden);
}

TEST(ConfigFromEnvironment, ReadsSignalWireAndBothProviders) {
  std::map<std::string, std::string> variables = {{"SIGNALWIRE_PROJECT_ID", kProjectId},
                                                  {"SIGNALWIRE_API_TOKEN", kHidden},
                                                  {"SIGNALWIRE_SPACE", "example.signalwire.com"}};
  absl::StatusOr<Config> config = ConfigFromEnvironment(Variables(variables));
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_THAT(config->upstreams, SizeIs(1));
  EXPECT_EQ(config->upstreams[0].account.name, "signalwire");
  EXPECT_EQ(config->upstreams[0].account.provider, ProviderType::kSignalWire);
  EXPECT_EQ(config->upstreams[0].account.account_sid, kProjectId);
  EXPECT_EQ(config->upstreams[0].account.username, kProjectId);
  EXPECT_EQ(config->upstreams[0].account.password.get().reveal(), kHidden);
  EXPECT_EQ(config->upstreams[0].account.api.ToString(), "https://example.signalwire.com");
  EXPECT_FALSE(config->upstreams[0].account.insights.has_value());

  variables["SIGNALWIRE_SPACE"] = "example";
  variables["TWILIO_ACCOUNT_SID"] = kAccountSid;
  variables["TWILIO_AUTH_TOKEN"] = kHidden;
  config = ConfigFromEnvironment(Variables(variables));
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_THAT(config->upstreams, SizeIs(2));
  EXPECT_EQ(config->upstreams[0].account.name, "twilio");
  EXPECT_EQ(config->upstreams[1].account.api.ToString(), "https://example.signalwire.com");
}

TEST(ConfigFromEnvironment, IncompleteGroupNamesTheMissingVariables) {
  const auto errors = [](std::map<std::string, std::string> variables) {
    return ErrorsOf(ConfigFromEnvironment(Variables(std::move(variables))));
  };
  const std::string no_credentials =
      "TWILIO_AUTH_TOKEN: not set; set TWILIO_AUTH_TOKEN, or TWILIO_API_KEY and TWILIO_API_SECRET";
  const std::string no_sid =
      "TWILIO_ACCOUNT_SID: not set; expected \"AC\" and 32 hexadecimal digits";
  EXPECT_THAT(errors({{"TWILIO_ACCOUNT_SID", kAccountSid}}), ElementsAre(no_credentials));
  EXPECT_THAT(errors({{"TWILIO_ACCOUNT_SID", kAccountSid}, {"TWILIO_AUTH_TOKEN", ""}}),
              ElementsAre(no_credentials));
  EXPECT_THAT(errors({{"TWILIO_AUTH_TOKEN", kHidden}}), ElementsAre(no_sid));
  EXPECT_THAT(errors({{"TWILIO_API_KEY", kApiKey}}),
              ElementsAre(no_sid, "TWILIO_API_SECRET: not set"));
  EXPECT_THAT(errors({{"TWILIO_ACCOUNT_SID", kAccountSid}, {"TWILIO_API_SECRET", kHidden}}),
              ElementsAre("TWILIO_API_KEY: not set; expected \"SK\" and 32 hexadecimal digits"));
  EXPECT_THAT(
      errors({{"TWILIO_ACCOUNT_SID", kHidden}, {"TWILIO_AUTH_TOKEN", "hunter2\n"}}),
      ElementsAre("TWILIO_ACCOUNT_SID: expected \"AC\" and 32 hexadecimal digits",
                  "TWILIO_AUTH_TOKEN: must not contain line breaks or other control characters"));
  EXPECT_THAT(
      errors({{"SIGNALWIRE_PROJECT_ID", kProjectId}}),
      ElementsAre(
          "SIGNALWIRE_API_TOKEN: not set",
          StartsWith("SIGNALWIRE_SPACE: not set; expected the name of a SignalWire space")));
  // A complete group does not excuse an incomplete one.
  EXPECT_THAT(errors({{"TWILIO_ACCOUNT_SID", kAccountSid},
                      {"TWILIO_AUTH_TOKEN", kHidden},
                      {"SIGNALWIRE_SPACE", "https://hunter2"},
                      {"SIGNALWIRE_API_TOKEN", kHidden}}),
              ElementsAre("SIGNALWIRE_PROJECT_ID: not set; expected a UUID",
                          StartsWith("SIGNALWIRE_SPACE: expected the name of a SignalWire space")));
  EXPECT_THAT(errors({}), ElementsAre(StartsWith("no upstream: set TWILIO_ACCOUNT_SID with")));
}

TEST(ProcessEnvironment, ReadsTheVariablesOfThisProcess) {
  EXPECT_TRUE(ProcessEnvironment()("PATH").has_value());
  EXPECT_FALSE(ProcessEnvironment()("ROLLCALL_CONFIG_TEST_IS_NOT_SET").has_value());
}

TEST(SecretTest, CopiesShareTheText) {
  std::optional<Secret> first(kHidden);
  const Secret second = *first;
  first.reset();
  EXPECT_EQ(second.reveal(), kHidden);
  static_assert(!std::is_convertible_v<Secret, std::string>);
  static_assert(!std::is_convertible_v<std::string, Secret>);
}

}  // namespace
}  // namespace rollcall::service
