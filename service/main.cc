// rollcalld: reads its configuration, serves, and ends cleanly on SIGTERM or SIGINT.
#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <utility>

#include "service/config/config.h"
#include "service/rpc/server.h"

namespace {

// Exit codes, after sysexits.h.
constexpr int kConfigError = 78;
constexpr int kCannotListen = 69;

// Blocks the signals that end the service in this thread and in all that it starts, so that they
// wait for sigwait().
sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("rollcalld streams the participants of conferences and rooms over gRPC.");
  std::string config_file;
  std::string listen;
  bool check_config = false;
  app.add_option("--config", config_file,
                 "JSON file to read; without it, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, "
                 "TWILIO_API_KEY, TWILIO_API_SECRET, SIGNALWIRE_PROJECT_ID, SIGNALWIRE_API_TOKEN "
                 "and SIGNALWIRE_SPACE of the environment are used");
  app.add_option("--listen", listen, "HOST:PORT to serve on; port 0 takes a free one");
  app.add_flag("--check-config", check_config, "read the configuration, say what is wrong, end");
  app.set_version_flag("--version", "rollcalld " ROLLCALL_VERSION);
  CLI11_PARSE(app, argc, argv);

  const rollcall::Environment environment = rollcall::ProcessEnvironment();
  absl::StatusOr<rollcall::Config> config =
      config_file.empty() ? rollcall::ConfigFromEnvironment(environment)
                          : rollcall::LoadConfigFile(config_file, environment);
  if (!config.ok()) {
    std::cerr << "rollcalld: " << config.status().message() << '\n';
    return kConfigError;
  }
  if (!listen.empty()) config->listen = listen;
  if (check_config) {
    std::cout << "the configuration is good; upstreams:";
    for (const auto& upstream : config->upstreams) std::cout << ' ' << upstream.name;
    std::cout << std::endl;
    return 0;
  }

  const sigset_t end_signals = BlockEndSignals();
  const std::chrono::milliseconds drain_timeout = config->drain_timeout;
  auto server = rollcall::Server::Start(*std::move(config));
  if (!server.ok()) {
    std::cerr << "rollcalld: " << server.status().message() << '\n';
    return kCannotListen;
  }
  std::cout << "rollcalld listening on " << (*server)->address() << std::endl;

  int signal_number = 0;
  sigwait(&end_signals, &signal_number);
  // A second signal ends at once, calls or not.
  pthread_sigmask(SIG_UNBLOCK, &end_signals, nullptr);
  (*server)->Drain(drain_timeout);
  return 0;
}
