#include <algorithm>
#include <initializer_list>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "service/config/account_form.h"
#include "service/config/config.h"
#include "service/json/json_object_reader.h"
#include "service/secrets/secret_text.h"

namespace rollcall::service {
namespace {

// Reads the environment variables of one upstream.
class VariableGroup {
 public:
  VariableGroup(const Environment& env, Problems& problems) : env_(env), problems_(problems) {}

  // nullopt if the variable is not set or empty. Deployments often set a variable to "" for none.
  std::optional<std::string> Get(const std::string& name) const {
    std::optional<std::string> value = env_(name);
    return value && !value->empty() ? value : std::nullopt;
  }

  bool HasAny(std::initializer_list<const char*> names) const {
    return std::any_of(names.begin(), names.end(),
                       [this](const char* name) { return Get(name).has_value(); });
  }

  // nullopt after a problem was added.
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

  // nullopt after a problem was added.
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

// nullopt after a problem was added.
std::optional<UpstreamOptions> TwilioFromEnvironment(VariableGroup& variables, Problems& problems) {
  const auto account_sid = variables.Require("TWILIO_ACCOUNT_SID", kAccountSidForm, IsAccountSid);
  std::optional<std::string> username = account_sid;
  std::optional<Secret> password;
  // If both pairs are set, use the API key: it has fewer rights and can be revoked alone.
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
  return UpstreamOptions{.account = {.name = "twilio",
                                     .provider = ProviderType::kTwilio,
                                     .account_sid = *account_sid,
                                     .username = *username,
                                     .password = CurrentSecret(*password),
                                     .api = TwilioApiUrl(),
                                     .insights = TwilioInsightsUrl()}};
}

// nullopt after a problem was added.
std::optional<UpstreamOptions> SignalWireFromEnvironment(VariableGroup& variables) {
  const auto project_id = variables.Require("SIGNALWIRE_PROJECT_ID", kProjectIdForm, IsProjectId);
  const auto api_token = variables.RequireSecret("SIGNALWIRE_API_TOKEN");
  const auto space = variables.Require("SIGNALWIRE_SPACE", kSpaceForm, IsSpace);
  if (!project_id || !api_token || !space) return std::nullopt;
  return UpstreamOptions{.account = {.name = "signalwire",
                                     .provider = ProviderType::kSignalWire,
                                     .account_sid = *project_id,
                                     .username = *project_id,
                                     .password = CurrentSecret(*api_token),
                                     .api = SpaceUrl(*space),
                                     .insights = std::nullopt}};
}

}  // namespace

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

}  // namespace rollcall::service
