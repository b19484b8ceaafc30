#include "service/arguments.h"

#include "rollcall/version.h"
#include "service/net/listen_address.h"

namespace rollcall::service {

void AddArguments(CLI::App& app, Arguments& arguments) {
  app.add_option("--config", arguments.config_file,
                 "JSON configuration file; without it, read the environment variables "
                 "TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_API_KEY, TWILIO_API_SECRET, "
                 "SIGNALWIRE_PROJECT_ID, SIGNALWIRE_API_TOKEN and SIGNALWIRE_SPACE")
      ->type_name("FILE");
  const CLI::Validator is_host_and_port(
      [](const std::string& text) {
        return IsHostAndPort(text) ? "" : "expected host:port, such as 0.0.0.0:9464";
      },
      "");
  const CLI::Validator is_listen_address(
      [](const std::string& text) {
        return IsListenAddress(text) ? ""
                                     : "expected host:port, such as 127.0.0.1:50051, or unix:/path";
      },
      "");
  // Rejects an empty shell variable, for example.
  const CLI::Validator is_not_empty(
      [](const std::string& text) { return text.empty() ? "expected the path of a folder" : ""; },
      "");
  app.add_option("--listen", arguments.listen,
                 "serve callers on this address; port 0 picks a free one; unix:/PATH is a Unix "
                 "socket")
      ->type_name("HOST:PORT")
      ->check(is_listen_address);
  app.add_flag("--allow-plaintext-callers", arguments.allow_plaintext_callers,
               "serve callers on other machines without encryption");
  app.add_option("--metrics-listen", arguments.metrics_listen,
                 "serve metrics, status page and probes over HTTP on this address")
      ->type_name("HOST:PORT")
      ->check(is_host_and_port);
  app.add_option("--record", arguments.record,
                 "record redacted provider responses in FOLDER (created if missing)")
      ->type_name("FOLDER")
      ->check(is_not_empty);
  app.add_flag("--check-config", arguments.check_config,
               "check the configuration, print its problems or its upstreams, and exit");
  app.add_flag("--check-upstreams", arguments.check_upstreams,
               "check the configuration, send one request to each API of each upstream, print the "
               "results, and exit");
  app.set_version_flag("--version", std::string("rollcalld ") + kRollcallVersion,
                       "print the version and exit");
}

}  // namespace rollcall::service
