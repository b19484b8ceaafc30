#include "service/config/config_summary.h"

#include "absl/strings/str_cat.h"

namespace rollcall {
namespace {

std::string Text(bool value) { return value ? "true" : "false"; }

std::string Text(std::chrono::milliseconds value) {
  return absl::StrCat(static_cast<double>(value.count()) / 1000);
}

std::string Text(const std::string& value) { return value; }

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

template <class Number>
std::string Text(Number value) {
  return absl::StrCat(value);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> Summarize(const Config& config) {
  std::vector<std::pair<std::string, std::string>> rows;
  const auto add = [&rows](std::string key, const auto& value) {
    rows.emplace_back(std::move(key), Text(value));
  };
  constexpr char kSecret[] = "(secret)";
  const std::string none = "(none)";
  add("listen", config.listen);
  if (config.tls) {
    add("tls.certificate_file", config.tls->certificate_file);
    add("tls.private_key_file", config.tls->private_key_file);
    add("tls.client_ca_file",
        config.tls->client_ca_file.empty() ? none : config.tls->client_ca_file);
    add("tls.client_certificates", config.tls->client_certificates);
  } else {
    add("tls", none);
  }
  add("allow_plaintext_callers", config.allow_plaintext_callers);
  add("policy_file", config.policy_file.empty() ? none : config.policy_file);
  add("reflection", config.reflection);
  add("metrics_listen", config.metrics_listen.value_or(none));
  add("metrics_token", config.metrics_token ? kSecret : none);
  add("log_calls", config.log_calls);
  for (const UpstreamOptions& upstream : config.upstreams) {
    const Account& account = upstream.account;
    const TransportOptions& transport = upstream.transport;
    const std::string path = absl::StrCat("upstreams.", account.name, ".");
    const bool is_twilio = account.provider == ProviderType::kTwilio;
    add(path + "provider", std::string(is_twilio ? "twilio" : "signalwire"));
    add(path + (is_twilio ? "api_base_url" : "base_url"), account.api.ToString());
    if (account.insights) add(path + "insights_base_url", account.insights->ToString());
    add(path + "connect_timeout_seconds", transport.connect_timeout);
    add(path + "idle_timeout_seconds", transport.idle_timeout);
    add(path + "default_page_size", account.options.default_page_size);
    add(path + "strict", account.options.strict);
    add(path + "max_requests_in_flight", upstream.limiter.max_in_flight);
    add(path + "max_connections", upstream.limiter.max_connections);
    add(path + "max_requests_waiting", upstream.limiter.max_waiting);
    add(path + "ca_file", transport.ca_file.empty() ? none : transport.ca_file);
    add(path + "min_tls_version",
        std::string(transport.min_tls_version == TlsVersion::k12 ? "1.2" : "1.3"));
    add(path + "http2", transport.http2);
    add(path + "proxy", !transport.proxy           ? "(as the environment says)"
                        : transport.proxy->empty() ? none
                                                   : *transport.proxy);
  }
  add("resume_key", config.resume_key ? kSecret : none);
  add("limits.max_record_bytes", config.read.limits.max_record_bytes);
  add("limits.max_page_bytes", config.read.limits.max_page_bytes);
  add("limits.max_pages_per_list", config.read.limits.max_pages_per_list);
  add("limits.max_json_depth", config.read.limits.max_json_depth);
  add("limits.send_queue_bytes", config.calls.send_queue_bytes);
  add("limits.max_calls", config.calls.max_calls);
  add("limits.max_calls_per_caller", config.calls.max_calls_per_caller);
  add("limits.caller_stall_seconds", config.calls.caller_stall);
  add("connections.max_streams", config.connections.max_streams);
  add("connections.max_age_seconds",
      config.connections.max_age ? Text(*config.connections.max_age) : none);
  add("connections.max_idle_seconds", config.connections.max_idle);
  add("connections.max_memory_bytes", config.connections.max_memory_bytes);
  add("retry.max_attempts", config.read.retry.max_attempts);
  add("retry.initial_backoff_seconds", config.read.retry.initial_backoff);
  add("retry.max_backoff_seconds", config.read.retry.max_backoff);
  add("circuit_breaker.failures", config.breaker.failures);
  add("circuit_breaker.open_seconds", config.breaker.open);
  add("deadline.default_seconds", config.deadline.otherwise);
  add("deadline.max_seconds", config.deadline.max);
  add("event_loops", config.event_loops);
  add("prefetch", config.read.prefetch);
  if (config.recording) {
    add("recording.folder", config.recording->folder);
    add("recording.max_bytes", config.recording->max_bytes);
  } else {
    add("recording", none);
  }
  add("drain_timeout_seconds", config.drain_timeout);
  return rows;
}

}  // namespace rollcall
