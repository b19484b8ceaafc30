// rollcalld: reads its configuration, serves, and stops cleanly on SIGTERM, SIGINT or SIGHUP.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "rollcall/version.h"
#include "service/access/access.h"
#include "service/admin/admin_pages.h"
#include "service/arguments.h"
#include "service/config/config.h"
#include "service/config/config_secrets.h"
#include "service/config/config_summary.h"
#include "service/environment/environment.h"
#include "service/log/library_log.h"
#include "service/metrics/telemetry.h"
#include "service/rpc/server.h"
#include "service/service_manager.h"
#include "service/upstream/upstream_check.h"

namespace rollcall::service {
namespace {

// Exit codes, after sysexits.h.
constexpr int kUsageError = 64;
constexpr int kConfigError = 78;
constexpr int kUnavailable = 69;  // an address to listen on, or in a check an upstream

// The longest that stopping takes after the drain timeout, with some margin.
constexpr std::chrono::seconds kTimeToStop(10);

int Fail(const absl::Status& status, int exit_code) {
  std::cerr << "rollcalld: " << status.message() << '\n';
  return exit_code;
}

// If stdin, stdout or stderr is closed, opens it on /dev/null, so that the next file opened does
// not receive the log.
void OpenStandardStreams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // open() returns the lowest free descriptor, which is this one.
    if (fcntl(descriptor, F_GETFD) < 0) static_cast<void>(open("/dev/null", O_RDWR));
  }
}

// Blocks the signals that stop the service, in this thread and in all threads that it starts, so
// that sigwait() receives them.
sigset_t BlockStopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);  // sent when the terminal is closed
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Exits on a signal. Needed for the first process of a container, to which the kernel does not
// deliver a signal without a handler.
void ExitOnSignals() {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    std::signal(number, [](int received) { _exit(128 + received); });
  }
}

// Raises the limit of open files. A stream needs up to three descriptors, and gRPC stops accepting
// connections for good when there are no more.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// A core dump would contain credentials and records. With a limit of 0, the kernel still passes one
// to a program that collects core dumps; with a limit of 1 byte, it writes none. Only the soft
// limit is lowered, so that prlimit can raise it to examine a process. If the hard limit is 0, the
// process is made not dumpable instead.
void ForbidCoreDumps() {
  rlimit limit{};
  if (getrlimit(RLIMIT_CORE, &limit) != 0) return;
  if (limit.rlim_max == 0) {
    prctl(PR_SET_DUMPABLE, 0);
    return;
  }
  limit.rlim_cur = 1;
  setrlimit(RLIMIT_CORE, &limit);
}

PolicyScope PolicyScopeOf(const Config& config) {
  PolicyScope scope;
  for (const auto& upstream : config.upstreams) scope.upstreams.push_back(upstream.account.name);
  scope.has_certificates = config.tls && !config.tls->client_ca_file.empty();
  return scope;
}

TelemetryOptions TelemetryOptionsOf(const Config& config) {
  TelemetryOptions options;
  options.version = kRollcallVersion;
  options.log_calls = config.log_calls;
  for (const auto& upstream : config.upstreams) options.upstreams.push_back(upstream.account.name);
  if (config.tls) options.followed_files.emplace_back("tls");
  if (!config.policy_file.empty()) options.followed_files.emplace_back("policy_file");
  for (const NamedSecret& named : SecretsOf(config)) {
    if (!named.secret.file().empty()) options.followed_files.push_back(named.name);
  }
  return options;
}

AdminOptions AdminOptionsOf(const Config& config) {
  AdminOptions options;
  options.version = kRollcallVersion;
  for (const auto& upstream : config.upstreams) {
    const Account& account = upstream.account;
    const bool is_twilio = account.provider == ProviderType::kTwilio;
    options.upstreams.push_back(
        {account.name, is_twilio ? "twilio" : "signalwire", account.api.host_and_port(), {}});
  }
  options.configuration = Summarize(config);
  return options;
}

int Main(int argc, char** argv) {
  OpenStandardStreams();
  ForbidCoreDumps();  // before any secret is read
  CLI::App app(kProgramDescription, "rollcalld");
  Arguments arguments;
  AddArguments(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }

  const Environment environment = ProcessEnvironment();
  absl::StatusOr<Config> config = arguments.config_file.empty()
                                      ? ConfigFromEnvironment(environment)
                                      : LoadConfigFile(arguments.config_file, environment);
  if (!config.ok()) return Fail(config.status(), kConfigError);
  if (!arguments.listen.empty()) config->listen = arguments.listen;
  if (!arguments.metrics_listen.empty()) config->metrics_listen = arguments.metrics_listen;
  if (arguments.allow_plaintext_callers) config->allow_plaintext_callers = true;
  if (!arguments.record.empty()) {
    if (!config->recording) config->recording.emplace();
    config->recording->folder = arguments.record;
  }
  if (absl::Status status = CheckListen(*config); !status.ok()) {
    return Fail(status, kConfigError);
  }
  std::unique_ptr<Access> access;
  if (!config->policy_file.empty()) {
    auto loaded = Access::Load(config->policy_file, PolicyScopeOf(*config));
    if (!loaded.ok()) return Fail(loaded.status(), kConfigError);
    access = *std::move(loaded);
  }
  // Ignore SIGPIPE: a closed pipe or socket must not kill the process.
  std::signal(SIGPIPE, SIG_IGN);
  if (arguments.check_config || arguments.check_upstreams) {
    std::cout << "the configuration is good; upstreams:";
    for (const auto& upstream : config->upstreams) std::cout << ' ' << upstream.account.name;
    std::cout << std::endl;
    if (!arguments.check_upstreams) return 0;
    ExitOnSignals();
    absl::Status status = CheckUpstreams(config->upstreams, environment, std::cout);
    return status.ok() ? 0 : Fail(status, kUnavailable);
  }

  RaiseFileLimit();
  const sigset_t stop_signals = BlockStopSignals();
  const std::chrono::milliseconds drain_timeout = config->drain_timeout;
  Telemetry telemetry(TelemetryOptionsOf(*config));
  const LibraryLog library_log(telemetry.log());
  AdminPages admin_pages(AdminOptionsOf(*config), telemetry);
  absl::StatusOr<std::string> metrics_url;
  if (config->metrics_listen) {
    metrics_url = admin_pages.Serve(*config->metrics_listen, config->metrics_token);
    if (!metrics_url.ok()) return Fail(metrics_url.status(), kUnavailable);
  }
  auto server = Server::Start(*std::move(config), std::move(access), telemetry, admin_pages);
  if (!server.ok()) {
    // INVALID_ARGUMENT: a file that was valid when the configuration was read has changed since.
    return Fail(server.status(),
                absl::IsInvalidArgument(server.status()) ? kConfigError : kUnavailable);
  }
  telemetry.OnServing();
  std::cout << "rollcalld listening on " << (*server)->address() << std::endl;
  if (metrics_url.ok()) std::cout << "rollcalld metrics on " << *metrics_url << std::endl;

  TellServiceManagerReady();
  int signal_number = 0;
  sigwait(&stop_signals, &signal_number);
  // A second signal stops the process at once, even with running calls.
  ExitOnSignals();
  pthread_sigmask(SIG_UNBLOCK, &stop_signals, nullptr);
  telemetry.OnDrain();
  TellServiceManagerStopping(drain_timeout + kTimeToStop);
  (*server)->Drain(drain_timeout);
  return 0;
}

}  // namespace
}  // namespace rollcall::service

int main(int argc, char** argv) { return rollcall::service::Main(argc, argv); }
