// Fuzzes the configuration: the input is the text of its file.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"
#include "service/config/config.h"
#include "tests/fuzz/require.h"

namespace rollcall::service {
namespace {

using nlohmann::json;
using std::chrono::seconds;

// A secret that errors must not repeat. The corpus contains it in many places.
constexpr absl::string_view kSecret = "s3cr3t";

struct Keys {
  bool file = false;    // a setting names a file, which would be read
  bool secret = false;  // a setting contains kSecret
};

Keys KeysIn(absl::string_view text) {
  Keys keys;
  static_cast<void>(json::parse(
      text.begin(), text.end(),
      [&keys](int /*depth*/, json::parse_event_t event, const json& value) {
        if (event == json::parse_event_t::key) {
          const auto& key = value.get_ref<const std::string&>();
          keys.file |= absl::EndsWith(key, "file");
          keys.secret |= absl::StrContains(key, kSecret);
        }
        return true;
      },
      false));
  return keys;
}

void CheckBaseUrl(const BaseUrl& url) {
  const auto again = BaseUrl::Parse(url.ToString());
  Require(again.ok() && again->ToString() == url.ToString(), "a base URL survives a round trip");
}

void CheckConfig(const Config& config) {
  Require(!config.upstreams.empty(), "there is at least one upstream");
  std::set<std::string> names;
  for (const UpstreamOptions& upstream : config.upstreams) {
    const Account& account = upstream.account;
    const TransportOptions& transport = upstream.transport;
    Require(!account.name.empty() && names.insert(account.name).second,
            "upstream names are unique");
    Require(!account.account_sid.empty() && !account.username.empty() &&
                !account.password.get().reveal().empty(),
            "every upstream has an account");
    Require(account.insights.has_value() == (account.provider == ProviderType::kTwilio),
            "Twilio, and only Twilio, has Insights");
    CheckBaseUrl(account.api);
    if (account.insights) CheckBaseUrl(*account.insights);
    Require(transport.connect_timeout.count() > 0 && transport.connect_timeout <= seconds(600),
            "connect_timeout is within its limits");
    Require(transport.idle_timeout.count() > 0 && transport.idle_timeout <= seconds(3600),
            "idle_timeout is within its limits");
    Require(account.options.default_page_size >= 1 && account.options.default_page_size <= 1000,
            "the page size is valid for the providers");
    Require(upstream.limiter.max_in_flight >= 1 && upstream.limiter.max_connections >= 1 &&
                upstream.limiter.max_waiting >= 1,
            "at least one request may be in flight");
  }
  const ResponseLimits& limits = config.read.limits;
  Require(limits.max_record_bytes >= 1024 && limits.max_record_bytes <= limits.max_page_bytes,
          "the record limit is at most the page limit");
  Require(limits.max_pages_per_list >= 1 && limits.max_json_depth >= 8 &&
              config.calls.send_queue_bytes >= 1024 && config.calls.max_calls >= 1,
          "limits are at least their minimum");
  Require(config.breaker.failures >= 1 && config.breaker.open.count() > 0,
          "the circuit breaker can open and close");
  Require(config.deadline.otherwise.count() > 0 && config.deadline.otherwise <= config.deadline.max,
          "calls end");
  Require(config.event_loops >= 1 && config.event_loops <= 64,
          "the number of event loops is valid");
  Require(config.drain_timeout.count() >= 0 && config.drain_timeout <= seconds(3600),
          "draining ends");
}

void Fuzz(absl::string_view text) {
  const Keys keys = KeysIn(text);
  // Random file names must not be opened on a real machine.
  if (keys.file) return;
  const auto env = [](const std::string& name) -> std::optional<std::string> {
    if (name == "EMPTY") return "";
    if (name == "BROKEN") return "s3cr3t\n";
    if (name == "TOKEN") return "s3cr3t";
    return std::nullopt;
  };
  const auto config = ParseConfig(text, env);
  if (config.ok()) {
    CheckConfig(*config);
    return;
  }
  Require(config.status().code() == absl::StatusCode::kInvalidArgument,
          "a syntax error is an invalid argument");
  for (const absl::string_view line : absl::StrSplit(config.status().message(), '\n')) {
    Require(!line.empty(), "every line of an error states a problem");
    for (const char c : line) Require(c >= ' ' && c <= '~', "an error is printable ASCII");
  }
  Require(keys.secret || !absl::StrContains(config.status().message(), kSecret),
          "an error does not repeat a value");
}

}  // namespace
}  // namespace rollcall::service

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rollcall::service::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
