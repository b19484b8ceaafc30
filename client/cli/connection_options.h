// The options by which `rollcall` reaches the service: its address, encryption, and what the caller
// shows of itself. Used by ParseCommandLine() only.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "rollcall/channel.h"

namespace rollcall {

// As they stand on the command line or in the environment.
struct ConnectionArguments {
  ConnectionArguments();

  std::string server;
  bool tls = false;
  std::string ca_file;
  std::string cert;
  std::string key;
  std::string token_file;
};

// `arguments` must outlive the command.
void AddConnectionOptions(CLI::App& command, ConnectionArguments& arguments);

// These throw CLI::ValidationError, as the parser does.

// HOST:PORT, or another gRPC target.
std::string ServerOf(const ConnectionArguments& arguments);

// Reads the files that the arguments name, and finds out whether they are of any use.
ChannelOptions ReadChannelOptions(const ConnectionArguments& arguments);

}  // namespace rollcall
