// provider-simulator: the simulator as a program, for demonstrations and benchmarks. Prints one
// line with its address when it is ready, and exits on SIGTERM or SIGINT.

#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "tests/simulator/replay.h"
#include "tests/simulator/simulator.h"

int main(int argc, char** argv) {
  // Block the signals before any thread starts, so that only sigwait() below receives them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  rollcall::simulator::Options options;
  options.keep_requests = false;
  std::string listen = "127.0.0.1:0";
  int64_t latency_ms = 0;
  std::string username;
  std::string recording;
  CLI::App app("Simulate the participant lists of Twilio and SignalWire", "provider-simulator");
  app.add_option("--listen", listen, "Address to listen on, HOST:PORT; port 0 picks a free port")
      ->capture_default_str();
  app.add_option("--latency-ms", latency_ms, "Delay before each response, in milliseconds")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--bytes-per-second", options.bytes_per_second,
                 "Limit on the speed of each response body; 0 means no limit")
      ->check(CLI::NonNegativeNumber);
  app.add_flag("--keep-pages", options.keep_pages,
               "Generate each page once and then serve it from memory, for benchmarks");
  app.add_option("--account-sid", options.accounts.twilio_account_sid, "Twilio account sid")
      ->capture_default_str();
  app.add_option("--username", username, "Twilio user name; the account sid by default");
  app.add_option("--password", options.accounts.twilio_password,
                 "Twilio auth token or API key secret")
      ->capture_default_str();
  app.add_option("--signalwire-project", options.accounts.signalwire_project,
                 "SignalWire project id")
      ->capture_default_str();
  app.add_option("--signalwire-token", options.accounts.signalwire_token, "SignalWire API token")
      ->capture_default_str();
  app.add_option("--replay", recording,
                 "Replay the recording in this folder and serve nothing else");
  CLI11_PARSE(app, argc, argv);

  const size_t colon = listen.rfind(':');
  if (colon == std::string::npos || !absl::SimpleAtoi(listen.substr(colon + 1), &options.port) ||
      options.port < 0 || options.port > 65535) {
    std::fprintf(stderr, "provider-simulator: --listen must be HOST:PORT, not \"%s\"\n",
                 listen.c_str());
    return 2;
  }
  absl::string_view host = absl::string_view(listen).substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) {
    absl::ConsumeSuffix(&host, "]");
  }
  options.host = std::string(host);
  options.latency = absl::Milliseconds(latency_ms);
  options.accounts.twilio_username =
      username.empty() ? options.accounts.twilio_account_sid : username;

  std::unique_ptr<rollcall::simulator::Replay> replay;
  if (!recording.empty()) {
    auto loaded = rollcall::simulator::Replay::Load(recording);
    if (!loaded.ok()) {
      std::fprintf(stderr, "provider-simulator: %s\n",
                   std::string(loaded.status().message()).c_str());
      return 1;
    }
    replay = *std::move(loaded);
  }
  auto simulator = rollcall::simulator::Simulator::Start(std::move(options));
  if (!simulator.ok()) {
    std::fprintf(stderr, "provider-simulator: %s\n",
                 std::string(simulator.status().message()).c_str());
    return 1;
  }
  if (replay != nullptr) {
    (*simulator)->InjectFaults([&](const rollcall::simulator::Request& request) {
      return replay->Next(request, (*simulator)->base_url());
    });
  }
  std::printf("listening on %s\n", (*simulator)->base_url().c_str());
  if (replay != nullptr) {
    for (const std::string& line : replay->Instructions()) std::printf("%s\n", line.c_str());
  }
  std::fflush(stdout);

  int received;
  sigwait(&signals, &received);
  return 0;
}
