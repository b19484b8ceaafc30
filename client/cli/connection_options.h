// The options of `rollcall` for the connection: the service's address, encryption and the caller's
// credentials.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "rollcall/channel.h"

namespace rollcall {

// As given on the command line or in the environment.
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

// The functions below throw CLI::ValidationError, as the parser does.

// HOST:PORT, or another gRPC target.
std::string ServerOf(const ConnectionArguments& arguments);

// Reads the files that the arguments name, and checks their contents.
ChannelOptions ReadChannelOptions(const ConnectionArguments& arguments);

}  // namespace rollcall
