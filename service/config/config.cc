#include "service/config/config.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "service/config/secret_reader.h"
#include "service/config/tls_reader.h"
#include "service/config/upstream_reader.h"
#include "service/files/read_file.h"
#include "service/json/json_object_reader.h"
#include "service/json/value_form.h"
#include "service/net/listen_address.h"
#include "service/net/unix_socket.h"
#include "service/secrets/secret_text.h"

namespace rollcall {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;

// The object `limits` has those of responses and those of calls.
void ReadLimits(JsonObjectReader& document, Problems& problems, ResponseLimits& response,
                CallLimits& calls) {
  const json* value = document.Find("limits");
  if (value == nullptr) return;
  JsonObjectReader reader(*value, "limits", problems);
  const auto bytes = [&reader](absl::string_view key, std::size_t& value, std::int64_t max) {
    value =
        static_cast<std::size_t>(reader.Integer(key, static_cast<std::int64_t>(value), 1024, max));
  };
  bytes("max_record_bytes", response.max_record_bytes, std::int64_t{64} << 20);
  bytes("max_page_bytes", response.max_page_bytes, std::int64_t{64} << 30);
  response.max_pages_per_list =
      reader.Integer("max_pages_per_list", response.max_pages_per_list, 1, 1'000'000'000);
  response.max_json_depth =
      static_cast<int>(reader.Integer("max_json_depth", response.max_json_depth, 8, 1024));
  bytes("send_queue_bytes", calls.send_queue_bytes, std::int64_t{64} << 20);
  calls.max_calls = static_cast<int>(reader.Integer("max_calls", calls.max_calls, 1, 1'000'000));
  calls.max_calls_per_caller =
      static_cast<int>(reader.Integer("max_calls_per_caller", calls.max_calls, 1, 1'000'000));
  calls.caller_stall =
      reader.Seconds("caller_stall_seconds", calls.caller_stall, milliseconds(1), hours(24));
  reader.Finish();
  if (response.max_record_bytes > response.max_page_bytes) {
    reader.Problem("max_record_bytes", "must not be more than max_page_bytes");
  }
}

ConnectionOptions ReadConnectionOptions(JsonObjectReader& document, Problems& problems) {
  ConnectionOptions connections;
  const json* value = document.Find("connections");
  if (value == nullptr) return connections;
  JsonObjectReader reader(*value, "connections", problems);
  connections.max_streams =
      static_cast<int>(reader.Integer("max_streams", connections.max_streams, 1, 1'000'000));
  const milliseconds max_age =
      reader.Seconds("max_age_seconds", milliseconds(0), milliseconds(1), hours(24 * 20));
  if (max_age > milliseconds(0)) connections.max_age = max_age;
  connections.max_idle =
      reader.Seconds("max_idle_seconds", connections.max_idle, milliseconds(1), hours(24 * 20));
  connections.max_memory_bytes = static_cast<std::size_t>(
      reader.Integer("max_memory_bytes", static_cast<std::int64_t>(connections.max_memory_bytes),
                     std::int64_t{1} << 20, std::int64_t{1} << 40));
  reader.Finish();
  return connections;
}

RetryOptions ReadRetryOptions(JsonObjectReader& document, Problems& problems) {
  RetryOptions retry;
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

BreakerOptions ReadBreakerOptions(JsonObjectReader& document, Problems& problems) {
  BreakerOptions breaker;
  const json* value = document.Find("circuit_breaker");
  if (value == nullptr) return breaker;
  JsonObjectReader reader(*value, "circuit_breaker", problems);
  breaker.failures = static_cast<int>(reader.Integer("failures", breaker.failures, 1, 1'000'000));
  breaker.open = reader.Seconds("open_seconds", breaker.open, milliseconds(1), seconds(3600));
  reader.Finish();
  return breaker;
}

DeadlineOptions ReadDeadlineOptions(JsonObjectReader& document, Problems& problems) {
  DeadlineOptions deadline;
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

// nullopt if the key is absent or after a problem was added.
std::optional<RecordingOptions> ReadRecordingOptions(JsonObjectReader& document,
                                                     Problems& problems) {
  const json* value = document.Find("recording");
  if (value == nullptr) return std::nullopt;
  JsonObjectReader reader(*value, "recording", problems);
  RecordingOptions recording;
  const auto folder = reader.RequiredString("folder", kFolderPathForm, IsPath);
  recording.max_bytes = static_cast<std::size_t>(reader.Integer(
      "max_bytes", static_cast<std::int64_t>(recording.max_bytes), 1024, std::int64_t{1} << 40));
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
  config.allow_plaintext_callers = reader.Bool("allow_plaintext_callers", false);
  config.policy_file = reader.String("policy_file", kFilePathForm, IsPath).value_or("");
  config.reflection = reader.Bool("reflection", config.reflection);
  config.metrics_listen = reader.String("metrics_listen", kHostAndPortForm, IsHostAndPort);
  config.metrics_token = ReadCurrentSecret(reader, "metrics_token", env, problems);
  config.log_calls = reader.Bool("log_calls", config.log_calls);
  config.upstreams = ReadUpstreams(reader, env, problems);
  config.resume_key = ReadResumeKey(reader, env, problems);
  ReadLimits(reader, problems, config.read.limits, config.calls);
  config.connections = ReadConnectionOptions(reader, problems);
  config.read.retry = ReadRetryOptions(reader, problems);
  config.breaker = ReadBreakerOptions(reader, problems);
  config.deadline = ReadDeadlineOptions(reader, problems);
  config.event_loops = static_cast<int>(reader.Integer("event_loops", config.event_loops, 1, 64));
  config.read.prefetch = reader.Bool("prefetch", config.read.prefetch);
  config.recording = ReadRecordingOptions(reader, problems);
  config.drain_timeout =
      reader.Seconds("drain_timeout_seconds", config.drain_timeout, milliseconds(0), seconds(3600));
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

}  // namespace rollcall
