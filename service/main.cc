// rollcalld: reads its configuration, serves, and ends cleanly on SIGTERM, SIGINT or SIGHUP.
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
#include "service/log/library_log.h"
#include "service/metrics/telemetry.h"
#include "service/rpc/server.h"
#include "service/service_manager.h"
#include "service/upstream/upstream_check.h"

namespace {

// Exit codes, after sysexits.h.
constexpr int kUsageError = 64;
constexpr int kConfigError = 78;
constexpr int kUnavailable = 69;  // an address to listen on, or in a check an upstream

// What ending takes at most beyond the drain timeout, and a little more.
constexpr std::chrono::seconds kTimeToEnd(10);

int Fail(const absl::Status& status, int exit_code) {
  std::cerr << "rollcalld: " << status.message() << '\n';
  return exit_code;
}

// Whoever starts the service without these would have its log written into whatever it opens first.
void OpenStandardStreams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // The lowest that is free is taken.
    if (fcntl(descriptor, F_GETFD) < 0) static_cast<void>(open("/dev/null", O_RDWR));
  }
}

// Blocks the signals that end the service in this thread and in all that it starts, so that they
// wait for sigwait().
sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);  // of a terminal that is closed
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// The kernel keeps signals that a process has not asked for from the first one of a container.
void EndAtOnceOnSignals() {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    std::signal(number, [](int received) { _exit(128 + received); });
  }
}

// A stream takes up to three descriptors, and gRPC stops taking connections for good where they run
// out.
void RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// A core would hold credentials and whatever callers were sent. With a limit of 0 the kernel still
// gives one to a program that the machine collects them with; with 1 it makes none. Only the soft
// limit, so that prlimit can raise it for a process that is to be examined. Where the hard limit is
// 0 the process says that it must not be dumped at all.
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

}  // namespace

int main(int argc, char** argv) {
  OpenStandardStreams();
  ForbidCoreDumps();  // before there is anything to be found in one
  CLI::App app(rollcall::kProgramDescription, "rollcalld");
  rollcall::Arguments arguments;
  rollcall::AddArguments(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageError;
  }

  const rollcall::Environment environment = rollcall::ProcessEnvironment();
  absl::StatusOr<rollcall::Config> config =
      arguments.config_file.empty() ? rollcall::ConfigFromEnvironment(environment)
                                    : rollcall::LoadConfigFile(arguments.config_file, environment);
  if (!config.ok()) return Fail(config.status(), kConfigError);
  if (!arguments.listen.empty()) config->listen = arguments.listen;
  if (!arguments.metrics_listen.empty()) config->metrics_listen = arguments.metrics_listen;
  if (arguments.allow_plaintext_callers) config->allow_plaintext_callers = true;
  if (!arguments.record.empty()) {
    if (!config->recording) config->recording.emplace();
    config->recording->folder = arguments.record;
  }
  if (absl::Status status = rollcall::CheckListen(*config); !status.ok()) {
    return Fail(status, kConfigError);
  }
  std::unique_ptr<rollcall::Access> access;
  if (!config->policy_file.empty()) {
    auto loaded = rollcall::Access::Load(*config);
    if (!loaded.ok()) return Fail(loaded.status(), kConfigError);
    access = *std::move(loaded);
  }
  // A reader of our output or log who goes away, or a provider, must not take the service with him.
  std::signal(SIGPIPE, SIG_IGN);
  if (arguments.check_config || arguments.check_upstreams) {
    std::cout << "the configuration is good; upstreams:";
    for (const auto& upstream : config->upstreams) std::cout << ' ' << upstream.name;
    std::cout << std::endl;
    if (!arguments.check_upstreams) return 0;
    EndAtOnceOnSignals();
    absl::Status status = rollcall::CheckUpstreams(*config, environment, std::cout);
    return status.ok() ? 0 : Fail(status, kUnavailable);
  }

  RaiseFileLimit();
  const sigset_t end_signals = BlockEndSignals();
  const std::chrono::milliseconds drain_timeout = config->drain_timeout;
  rollcall::Telemetry telemetry(*config, rollcall::kRollcallVersion);
  const rollcall::LibraryLog library_log(telemetry.log());
  rollcall::AdminPages admin_pages(*config, rollcall::kRollcallVersion, telemetry);
  absl::StatusOr<std::string> metrics_url;
  if (config->metrics_listen) {
    metrics_url = admin_pages.Serve(*config->metrics_listen, config->metrics_token);
    if (!metrics_url.ok()) return Fail(metrics_url.status(), kUnavailable);
  }
  auto server =
      rollcall::Server::Start(*std::move(config), std::move(access), telemetry, admin_pages);
  if (!server.ok()) {
    // Files that were good when the configuration was read may have changed since.
    return Fail(server.status(),
                absl::IsInvalidArgument(server.status()) ? kConfigError : kUnavailable);
  }
  telemetry.OnServing();
  std::cout << "rollcalld listening on " << (*server)->address() << std::endl;
  if (metrics_url.ok()) std::cout << "rollcalld metrics on " << *metrics_url << std::endl;

  rollcall::TellServiceManagerReady();
  int signal_number = 0;
  sigwait(&end_signals, &signal_number);
  // A second signal ends at once, calls or not.
  pthread_sigmask(SIG_UNBLOCK, &end_signals, nullptr);
  telemetry.OnDrain();
  rollcall::TellServiceManagerStopping(drain_timeout + kTimeToEnd);
  (*server)->Drain(drain_timeout);
  return 0;
}
