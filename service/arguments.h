// The command-line options of rollcalld. Its manual page and completions are generated from them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace rollcall::service {

inline constexpr char kProgramDescription[] =
    "rollcalld streams the participants of conferences and rooms over gRPC.";

// A text is empty if its option was not given.
struct Arguments {
  std::string config_file;
  std::string listen;
  std::string metrics_listen;
  std::string record;
  bool allow_plaintext_callers = false;
  bool check_config = false;
  bool check_upstreams = false;
};

// `arguments` must outlive `app`.
void AddArguments(CLI::App& app, Arguments& arguments);

}  // namespace rollcall::service
