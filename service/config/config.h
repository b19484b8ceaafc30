// What the operator decides: parsed once at start into a value that cannot be invalid.
//
// main() makes one Config, from a file or from environment variables, and hands its parts to those
// who need them; nobody looks at the file or the environment after that. Secrets that stand in
// files of their own follow these (service/config/secret_watch.h), as do the policy and the
// certificates. Errors are for the operator who wrote the file: they name every key that is wrong,
// one a line, by its JSON path, and say what is expected there; they never repeat a value, since
// any value may be a misplaced secret. The functions are called on one thread; a Config may then be
// read from any. docs/configuration.md lists the keys.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/config/current_secret.h"
#include "service/http/base_url.h"

namespace rollcall {

enum class ProviderType { kTwilio, kSignalWire };

enum class TlsVersion { k12, k13 };

// How much one account is asked at once.
struct RequestLimits {
  // Requests that the provider works on. Fewer go out while it says that this is too many.
  int max_in_flight = 100;
  // Requests whose answers are not complete, those included that wait for a slow caller: each has a
  // connection of its own.
  int max_connections = 4000;
  // New calls that wait for their first request to go out; more are refused.
  int max_waiting = 1000;
};

// One account with one provider.
struct UpstreamConfig {
  // What callers call it, and its label in logs and metrics. Unique.
  std::string name;
  ProviderType provider;
  // The account in the paths of the API: Twilio's account sid, SignalWire's project id.
  std::string account_sid;
  // For HTTP Basic. The username is not a secret: the account sid, an API key's sid or the project
  // id.
  std::string username;
  CurrentSecret password;
  // Where the account's conferences and calls are: Twilio's core API, or the SignalWire space.
  BaseUrl api;
  // Where Twilio's Voice and Video Insights are. Set for Twilio, and only there.
  std::optional<BaseUrl> insights;
  // The PEM file of those who may sign the certificates of these; the system's where empty.
  std::string ca_file = {};
  // The oldest that connections to https URLs may use.
  TlsVersion min_tls_version = TlsVersion::k12;
  // Whether requests to https URLs may share connections, where the provider speaks HTTP/2.
  bool http2 = false;
  // The URL of the HTTP proxy that https URLs are reached through; empty: through none. Absent: as
  // libcurl's variables of the environment say.
  std::optional<std::string> proxy = {};
  // The longest that making a connection may take.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
  // The longest that the provider may send nothing.
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(60);
  // The page size where the caller leaves the choice to the service: 1 to 1000.
  int default_page_size = 1000;
  // Whether a record that holds something unrecognized fails the call.
  bool strict = false;
  RequestLimits requests = {};
};

// TLS towards callers.
struct TlsSettings {
  enum class ClientCertificates { kNone, kOptional, kRequired };

  // Paths of PEM files: the service's certificate with those that lead from it to an authority, and
  // its key.
  std::string certificate_file;
  std::string private_key_file;
  // Those who may sign callers' certificates. Empty where no caller is asked for one.
  std::string client_ca_file;
  ClientCertificates client_certificates = ClientCertificates::kNone;
};

// How much of a provider's answer is accepted, how much is held, and how many callers are served.
struct Limits {
  std::size_t max_record_bytes = std::size_t{1} << 20;
  std::size_t max_page_bytes = std::size_t{256} << 20;
  std::int64_t max_pages_per_list = 100000;
  int max_json_depth = 64;
  // What a stream holds of records that its caller has not taken yet.
  std::size_t send_queue_bytes = std::size_t{64} << 10;
  // Calls that run at once; more are refused.
  int max_calls = 2000;
  // Those of one caller, where the policy says nothing else.
  int max_calls_per_caller = max_calls;
  // How long a caller may take nothing of what is there for it.
  std::chrono::milliseconds caller_stall = std::chrono::minutes(10);
};

// What a caller's connection may be.
struct ConnectionSettings {
  // Calls on it at once; others wait at the caller's end.
  int max_streams = 100;
  // After this it takes no new calls, so that callers come to spread over new replicas. Calls that
  // run go on, but gRPC closes it with the last of them so soon that its end may be lost on the
  // way. Absent: any.
  std::optional<std::chrono::milliseconds> max_age;
  // Without a call it is closed after this.
  std::chrono::milliseconds max_idle = std::chrono::minutes(5);
  // What gRPC counts for all connections together: some 8 KB for each without a call. Where it is
  // used up, new connections are closed, and those without a call.
  std::size_t max_memory_bytes = std::size_t{256} << 20;
};

// How often and how soon a request that failed is sent again.
struct RetrySettings {
  // In a row that brought nothing new; 1 is to try only once.
  int max_attempts = 5;
  // The first wait is a random part of the former; it doubles with each failure up to the latter.
  std::chrono::milliseconds initial_backoff = std::chrono::milliseconds(200);
  std::chrono::milliseconds max_backoff = std::chrono::seconds(10);
};

// When an upstream counts as down, and for how long it is then left alone.
struct BreakerSettings {
  // Requests in a row that were not answered, or with 5xx.
  int failures = 20;
  std::chrono::milliseconds open = std::chrono::seconds(5);
};

// How long calls may take.
struct DeadlineSettings {
  // Of a call that comes without one.
  std::chrono::milliseconds otherwise = std::chrono::hours(1);
  // The most that a call may ask for.
  std::chrono::milliseconds max = std::chrono::hours(24);
};

// Where what providers answer is written to, redacted.
struct RecordingSettings {
  std::string folder;
  // Of all its files together. Then nothing more is written.
  std::size_t max_bytes = std::size_t{64} << 20;
};

// One a core, but no more than a few: the threads that write to callers need cores as well.
int DefaultEventLoops();

struct Config {
  // Host and port to serve gRPC on; port 0 takes a free one. Or "unix:" and a socket's path.
  std::string listen = "127.0.0.1:50051";
  // Callers are served unencrypted where absent.
  std::optional<TlsSettings> tls;
  // Whether that may be on an address that other machines can reach.
  bool allow_plaintext_callers = false;
  // Path of the file that says who may call. Empty: all who can connect may.
  std::string policy_file;
  // Whether anybody may ask for the API's description (gRPC server reflection).
  bool reflection = true;
  // Host and port to serve metrics on; not served where absent.
  std::optional<std::string> metrics_listen;
  // Who asks there must send it as "Authorization: Bearer"; anybody may ask where it is absent.
  std::optional<CurrentSecret> metrics_token;
  // Whether each call is a line in the log.
  bool log_calls = true;
  // Never empty.
  std::vector<UpstreamConfig> upstreams;
  // What resume tokens are sealed with; the upstream's password where absent.
  std::optional<CurrentSecret> resume_key;
  Limits limits;
  ConnectionSettings connections;
  RetrySettings retry;
  BreakerSettings breaker;
  DeadlineSettings deadline;
  // Threads that talk to providers.
  int event_loops = DefaultEventLoops();
  // Whether the next page is asked for while this one is still on its way.
  bool prefetch = true;
  // Nothing is recorded where absent.
  std::optional<RecordingSettings> recording;
  // How long calls may go on after SIGTERM. Then lists end with tokens.
  std::chrono::milliseconds drain_timeout = std::chrono::seconds(30);
};

// Whether the text is a host and port as `metrics_listen` takes them.
bool IsListenAddress(absl::string_view text);

// Whether it is what `listen` takes: these, or the address of a Unix socket.
bool IsCallersAddress(absl::string_view text);

// An error where callers would be served unencrypted on an address that other machines can reach,
// and the operator has not said that this is meant. Asked once `listen` is final.
absl::Status CheckListen(const Config& config);

// Looks an environment variable up; nullopt where it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// The variables of this process.
Environment ProcessEnvironment();

// Reads a configuration file's text. `env` and the file system serve secrets that stand elsewhere.
absl::StatusOr<Config> ParseConfig(absl::string_view json_text, const Environment& env);

// Reads a configuration file. Errors begin with its path.
absl::StatusOr<Config> LoadConfigFile(const std::string& path, const Environment& env);

// Makes the configuration that environment variables alone can give: TWILIO_ACCOUNT_SID with
// TWILIO_AUTH_TOKEN, or with TWILIO_API_KEY and TWILIO_API_SECRET, for an upstream "twilio";
// SIGNALWIRE_PROJECT_ID, SIGNALWIRE_API_TOKEN and SIGNALWIRE_SPACE for an upstream "signalwire".
absl::StatusOr<Config> ConfigFromEnvironment(const Environment& env);

}  // namespace rollcall
