// The operator's settings: parsed once at start into a value that cannot be invalid.
//
// main() makes one Config, from a file or from environment variables, and passes its parts to the
// modules that use them. Secrets that are in files of their own follow these files
// (secret_watch.h), as do the policy and the certificates; nothing else changes after start. Errors
// name every wrong key, one a line, by its JSON path, and say what is expected. They never repeat a
// value, because any value may be a misplaced secret. Call the functions on one thread; any thread
// may read a Config. docs/configuration.md lists the keys.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/environment/environment.h"
#include "service/query/query.h"
#include "service/recording/recording.h"
#include "service/secrets/current_secret.h"
#include "service/tls/tls_files.h"
#include "service/upstream/circuit_breaker.h"
#include "service/upstream/read_options.h"
#include "service/upstream/upstream.h"

namespace rollcall::service {

// How many calls are served, and how much each holds.
struct CallLimits {
  // Records that a stream holds until its caller takes them.
  std::size_t send_queue_bytes = std::size_t{64} << 10;
  // Calls that run at once; more are refused.
  int max_calls = 2000;
  // The same for one caller, unless the policy gives it another number.
  int max_calls_per_caller = max_calls;
  // How long a caller may leave records of its stream untaken.
  std::chrono::milliseconds caller_stall = std::chrono::minutes(10);
};

// Limits on callers' connections.
struct ConnectionOptions {
  // Concurrent calls of one connection; others wait on the caller's side.
  int max_streams = 100;
  // After this time, a connection takes no new calls, so that callers spread over new replicas.
  // Running calls continue. gRPC closes the connection so soon after the last of them that its
  // status may be lost. Absent: no limit.
  std::optional<std::chrono::milliseconds> max_age;
  // A connection without a call is closed after this time.
  std::chrono::milliseconds max_idle = std::chrono::minutes(5);
  // gRPC's memory for all connections, about 8 KB for each without a call. When it is used up, new
  // connections and those without a call are closed.
  std::size_t max_memory_bytes = std::size_t{256} << 20;
};

// One per core, at most 4, because the threads that write to callers need cores as well.
int DefaultEventLoops();

struct Config {
  // Host and port to serve gRPC on; port 0 picks a free one. Or "unix:" and a socket's path.
  std::string listen = "127.0.0.1:50051";
  // If absent, callers are served without encryption.
  std::optional<ServerTlsOptions> tls;
  // Whether that is allowed on an address that other machines can reach.
  bool allow_plaintext_callers = false;
  // Path of the policy, which says who may call. Empty: every client that can connect.
  std::string policy_file;
  // Whether every client may ask for the API's description (gRPC server reflection).
  bool reflection = true;
  // Host and port of the admin server. Absent: there is none.
  std::optional<std::string> metrics_listen;
  // Required there as "Authorization: Bearer", if present.
  std::optional<CurrentSecret> metrics_token;
  // Whether the log has a line for each call.
  bool log_calls = true;
  // Never empty.
  std::vector<UpstreamOptions> upstreams;
  // Seals resume tokens; if absent, the upstream's password does.
  std::optional<CurrentSecret> resume_key;
  CallLimits calls;
  ConnectionOptions connections;
  ReadOptions read;
  BreakerOptions breaker;
  DeadlineOptions deadline;
  // Threads that send requests to providers.
  int event_loops = DefaultEventLoops();
  // If absent, nothing is recorded.
  std::optional<RecordingOptions> recording;
  // How long running calls may continue after SIGTERM. Then lists end with a resume token.
  std::chrono::milliseconds drain_timeout = std::chrono::seconds(30);
};

// An error if callers would be served without encryption on an address that other machines can
// reach, unless the operator allows it. Call it when `listen` is final.
absl::Status CheckListen(const Config& config);

// Parses the text of a configuration file. Secrets may be read from `env` and from files.
absl::StatusOr<Config> ParseConfig(absl::string_view json_text, const Environment& env);

// Reads a configuration file. Errors begin with its path.
absl::StatusOr<Config> LoadConfigFile(const std::string& path, const Environment& env);

// Makes the configuration that environment variables alone can give: TWILIO_ACCOUNT_SID with
// TWILIO_AUTH_TOKEN, or with TWILIO_API_KEY and TWILIO_API_SECRET, for an upstream "twilio";
// SIGNALWIRE_PROJECT_ID, SIGNALWIRE_API_TOKEN and SIGNALWIRE_SPACE for an upstream "signalwire".
absl::StatusOr<Config> ConfigFromEnvironment(const Environment& env);

}  // namespace rollcall::service
