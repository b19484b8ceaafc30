#include "service/arguments.h"

#include "rollcall/version.h"
#include "service/net/listen_address.h"

namespace rollcall {

void AddArguments(CLI::App& app, Arguments& arguments) {
  app.add_option("--config", arguments.config_file,
                 "JSON file to read; without it, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, "
                 "TWILIO_API_KEY, TWILIO_API_SECRET, SIGNALWIRE_PROJECT_ID, SIGNALWIRE_API_TOKEN "
                 "and SIGNALWIRE_SPACE of the environment are used")
      ->type_name("FILE");
  const CLI::Validator is_address(
      [](const std::string& text) {
        return IsHostAndPort(text) ? "" : "expected host:port, such as 0.0.0.0:9464";
      },
      "");
  const CLI::Validator is_callers_address(
      [](const std::string& text) {
        return IsListenAddress(text) ? ""
                                     : "expected host:port, such as 127.0.0.1:50051, or unix:/path";
      },
      "");
  // An empty variable of a shell, for example.
  const CLI::Validator is_not_empty(
      [](const std::string& text) { return text.empty() ? "expected the path of a folder" : ""; },
      "");
  app.add_option("--listen", arguments.listen,
                 "where to serve; port 0 takes a free one; unix:/PATH is a socket in the file "
                 "system")
      ->type_name("HOST:PORT")
      ->check(is_callers_address);
  app.add_flag("--allow-plaintext-callers", arguments.allow_plaintext_callers,
               "serve callers on other machines without encryption");
  app.add_option("--metrics-listen", arguments.metrics_listen, "where to serve metrics over HTTP")
      ->type_name("HOST:PORT")
      ->check(is_address);
  app.add_option("--record", arguments.record,
                 "folder, which is made, to record in what providers answer, redacted")
      ->type_name("FOLDER")
      ->check(is_not_empty);
  app.add_flag("--check-config", arguments.check_config,
               "read the configuration, say what is wrong, end");
  app.add_flag(
      "--check-upstreams", arguments.check_upstreams,
      "the same, then ask each upstream once with its credentials, say what is wrong, end");
  app.set_version_flag("--version", std::string("rollcalld ") + kRollcallVersion,
                       "print the version and exit");
}

}  // namespace rollcall
