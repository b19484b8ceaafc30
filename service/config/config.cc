#include "service/config/config.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/config/secret_reader.h"
#include "service/config/setting_reader.h"
#include "service/config/settings.h"
#include "service/config/tls_reader.h"
#include "service/config/upstream_reader.h"
#include "service/files/read_file.h"
#include "service/json/json_object_reader.h"
#include "service/json/value_form.h"
#include "service/net/listen_address.h"
#include "service/net/unix_socket.h"
#include "service/secrets/secret_text.h"

namespace rollcall::service {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;

// Reads an object of which every key is one of the settings.
template <class Options, class Settings>
void ReadObject(JsonObjectReader& document, absl::string_view key, const Settings& settings,
                Options& options, Problems& problems) {
  const json* value = document.Find(key);
  if (value == nullptr) return;
  JsonObjectReader reader(*value, std::string(key), problems);
  ReadSettings(reader, settings, options);
  reader.Finish();
}

// The object `limits` has the limits of responses and those of calls.
void ReadLimits(JsonObjectReader& document, Problems& problems, ResponseLimits& response,
                CallLimits& calls) {
  const json* value = document.Find("limits");
  if (value == nullptr) return;
  JsonObjectReader reader(*value, "limits", problems);
  ReadSettings(reader, kResponseLimitSettings, response);
  ReadSettings(reader, kCallLimitSettings, calls);
  if (!reader.Has("max_calls_per_caller")) calls.max_calls_per_caller = calls.max_calls;
  reader.Finish();
  if (response.max_record_bytes > response.max_page_bytes) {
    reader.Problem("max_record_bytes", "must not be more than max_page_bytes");
  }
  if (calls.max_calls_per_caller > calls.max_calls) {
    reader.Problem("max_calls_per_caller", "must not be more than max_calls");
  }
}

void ReadRetry(JsonObjectReader& document, Problems& problems, RetryOptions& retry) {
  const json* value = document.Find("retry");
  if (value == nullptr) return;
  JsonObjectReader reader(*value, "retry", problems);
  ReadSettings(reader, kRetrySettings, retry);
  // A longest wait alone shortens the default of the first one.
  if (!reader.Has("initial_backoff_seconds")) {
    retry.initial_backoff = std::min(retry.initial_backoff, retry.max_backoff);
  } else if (!reader.Has("max_backoff_seconds")) {
    retry.max_backoff = std::max(retry.initial_backoff, retry.max_backoff);
  }
  reader.Finish();
  if (retry.initial_backoff > retry.max_backoff) {
    reader.Problem("initial_backoff_seconds", "must not be more than max_backoff_seconds");
  }
}

void ReadDeadline(JsonObjectReader& document, Problems& problems, DeadlineOptions& deadline) {
  const json* value = document.Find("deadline");
  if (value == nullptr) return;
  JsonObjectReader reader(*value, "deadline", problems);
  const auto& [default_seconds, max_seconds] = kDeadlineSettings;
  ReadSetting(reader, max_seconds, deadline);
  deadline.otherwise = std::min(deadline.otherwise, deadline.max);
  ReadSetting(reader, default_seconds, deadline);
  reader.Finish();
  if (deadline.otherwise > deadline.max) {
    reader.Problem("default_seconds", "must not be more than max_seconds");
  }
}

// nullopt if the key is absent or after a problem was added.
std::optional<RecordingOptions> ReadRecordingOptions(JsonObjectReader& document,
                                                     Problems& problems) {
  const json* value = document.Find("recording");
  if (value == nullptr) return std::nullopt;
  JsonObjectReader reader(*value, "recording", problems);
  RecordingOptions recording;
  const auto folder = reader.RequiredString("folder", kFolderPathForm, IsPath);
  ReadSettings(reader, kRecordingSettings, recording);
  reader.Finish();
  if (!folder) return std::nullopt;
  recording.folder = *folder;
  return recording;
}

// nullopt if the key is absent or after a problem was added.
std::optional<CurrentSecret> ReadResumeKey(JsonObjectReader& document, const Environment& env,
                                           Problems& problems) {
  std::optional<CurrentSecret> key = ReadCurrentSecret(document, "resume_key", env, problems);
  if (!key) return std::nullopt;
  if (const absl::string_view problem = ResumeKeyProblem(key->get().reveal()); !problem.empty()) {
    document.Problem("resume_key", problem);
    return std::nullopt;
  }
  return key;
}

}  // namespace

int DefaultEventLoops() {
  constexpr int kMost = 4;
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMost);
}

absl::Status CheckListen(const Config& config) {
  if (config.tls || config.allow_plaintext_callers || IsUnixSocketAddress(config.listen) ||
      IsLoopback(config.listen)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      "listen: other machines can reach this address, and without tls their calls would not be "
      "encrypted: set tls, listen on 127.0.0.1, or set allow_plaintext_callers to true "
      "(--allow-plaintext-callers)");
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
  config.tls = ReadTls(reader, problems);
  ReadSetting(reader, kAllowPlaintextCallers, config);
  config.policy_file = reader.String("policy_file", kFilePathForm, IsPath).value_or("");
  ReadSetting(reader, kReflection, config);
  config.metrics_listen = reader.String("metrics_listen", kHostAndPortForm, IsHostAndPort);
  config.metrics_token = ReadCurrentSecret(reader, "metrics_token", env, problems);
  ReadSetting(reader, kLogCalls, config);
  config.upstreams = ReadUpstreams(reader, env, problems);
  config.resume_key = ReadResumeKey(reader, env, problems);
  ReadLimits(reader, problems, config.read.limits, config.calls);
  ReadObject(reader, "connections", kConnectionSettings, config.connections, problems);
  ReadRetry(reader, problems, config.read.retry);
  ReadObject(reader, "circuit_breaker", kBreakerSettings, config.breaker, problems);
  ReadDeadline(reader, problems, config.deadline);
  ReadSetting(reader, kEventLoops, config);
  ReadSetting(reader, kPrefetch, config.read);
  config.recording = ReadRecordingOptions(reader, problems);
  ReadSetting(reader, kDrainTimeout, config);
  reader.Finish();
  if (!reader.Has("policy_file") && config.tls &&
      config.tls->client_certificates == ServerTlsOptions::ClientCertificates::kOptional) {
    reader.Problem("policy_file", "missing; required if tls.client_certificates is \"optional\"");
  }
  if (!problems.empty()) return problems.ToStatus();
  return config;
}

absl::StatusOr<Config> LoadConfigFile(const std::string& path, const Environment& env) {
  const absl::StatusOr<std::string> text = ReadFile(path, kMaxConfigBytes);
  if (!text.ok()) return AtPath(path, text.status());
  absl::StatusOr<Config> config = ParseConfig(*text, env);
  if (!config.ok()) return AtPath(path, config.status());
  return config;
}

}  // namespace rollcall::service
