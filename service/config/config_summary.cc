#include "service/config/config_summary.h"

#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "service/config/setting.h"
#include "service/config/settings.h"

namespace rollcall::service {
namespace {

std::string Text(ServerTlsOptions::ClientCertificates value) {
  switch (value) {
    case ServerTlsOptions::ClientCertificates::kNone:
      return "(none)";
    case ServerTlsOptions::ClientCertificates::kOptional:
      return "optional";
    case ServerTlsOptions::ClientCertificates::kRequired:
      return "required";
  }
  return "";
}

constexpr char kNone[] = "(none)";
constexpr char kSecret[] = "(secret)";

using Rows = std::vector<std::pair<std::string, std::string>>;

template <class Options>
std::string Text(const Setting<Options>& setting, const Options& options) {
  const std::optional<std::int64_t> value = setting.get(options);
  if (!value) return kNone;
  switch (setting.type) {
    case SettingType::kBoolean:
      return *value != 0 ? "true" : "false";
    case SettingType::kInteger:
      return absl::StrCat(*value);
    case SettingType::kSeconds:
      return absl::StrCat(static_cast<double>(*value) / 1000);
  }
  return "";
}

template <class Options>
void AddSetting(Rows& rows, const Setting<Options>& setting, const Options& options) {
  rows.emplace_back(setting.key, Text(setting, options));
}

// `prefix` is the path of the object that has the settings, with a dot.
template <class Options, class Settings>
void AddSettings(Rows& rows, absl::string_view prefix, const Settings& settings,
                 const Options& options) {
  for (const Setting<Options>& setting : settings) {
    rows.emplace_back(absl::StrCat(prefix, setting.key), Text(setting, options));
  }
}

void AddUpstream(Rows& rows, const UpstreamOptions& upstream) {
  const Account& account = upstream.account;
  const TransportOptions& transport = upstream.transport;
  const std::string prefix = absl::StrCat("upstreams.", account.name, ".");
  const auto add = [&](absl::string_view key, std::string value) {
    rows.emplace_back(absl::StrCat(prefix, key), std::move(value));
  };
  const bool is_twilio = account.provider == ProviderType::kTwilio;
  add("provider", is_twilio ? "twilio" : "signalwire");
  add(is_twilio ? "api_base_url" : "base_url", account.api.ToString());
  if (account.insights) add("insights_base_url", account.insights->ToString());
  AddSettings(rows, prefix, kAccountSettings, account.options);
  AddSettings(rows, prefix, kLimiterSettings, upstream.limiter);
  AddSettings(rows, prefix, kTransportSettings, transport);
  add("ca_file", transport.ca_file.empty() ? std::string(kNone) : transport.ca_file);
  add("min_tls_version", transport.min_tls_version == TlsVersion::k12 ? "1.2" : "1.3");
  if (!transport.proxy) {
    add("proxy", "(as the environment says)");
  } else {
    add("proxy", transport.proxy->empty() ? std::string(kNone) : *transport.proxy);
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> Summarize(const Config& config) {
  Rows rows;
  const auto add = [&rows](const char* key, std::string value) {
    rows.emplace_back(key, std::move(value));
  };
  const auto or_none = [](const std::string& text) {
    return text.empty() ? std::string(kNone) : text;
  };
  add("listen", config.listen);
  if (config.tls) {
    add("tls.certificate_file", config.tls->certificate_file);
    add("tls.private_key_file", config.tls->private_key_file);
    add("tls.client_ca_file", or_none(config.tls->client_ca_file));
    add("tls.client_certificates", Text(config.tls->client_certificates));
  } else {
    add("tls", kNone);
  }
  AddSetting(rows, kAllowPlaintextCallers, config);
  add("policy_file", or_none(config.policy_file));
  AddSetting(rows, kReflection, config);
  add("metrics_listen", config.metrics_listen.value_or(kNone));
  add("metrics_token", config.metrics_token ? kSecret : kNone);
  AddSetting(rows, kLogCalls, config);
  for (const UpstreamOptions& upstream : config.upstreams) AddUpstream(rows, upstream);
  add("resume_key", config.resume_key ? kSecret : kNone);
  AddSettings(rows, "limits.", kResponseLimitSettings, config.read.limits);
  AddSettings(rows, "limits.", kCallLimitSettings, config.calls);
  AddSettings(rows, "connections.", kConnectionSettings, config.connections);
  AddSettings(rows, "retry.", kRetrySettings, config.read.retry);
  AddSettings(rows, "circuit_breaker.", kBreakerSettings, config.breaker);
  AddSettings(rows, "deadline.", kDeadlineSettings, config.deadline);
  AddSetting(rows, kEventLoops, config);
  AddSetting(rows, kPrefetch, config.read);
  if (config.recording) {
    add("recording.folder", config.recording->folder);
    AddSettings(rows, "recording.", kRecordingSettings, *config.recording);
  } else {
    add("recording", kNone);
  }
  AddSetting(rows, kDrainTimeout, config);
  return rows;
}

}  // namespace rollcall::service
