#pragma once

#include <google/protobuf/descriptor.h>

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/record_field.h"
#include "rollcall/channel.h"
#include "rollcall/v1/participant_service.pb.h"

// NOLINTNEXTLINE(readability-identifier-naming): CLI11's name.
namespace CLI {
class App;
}

namespace rollcall {

enum class OutputFormat { kTable, kNdjson, kJson, kCsv };

// A command line, validated as far as possible without the service. Main thread.
struct CommandLine {
  // Without the read mask, which also depends on the output.
  std::variant<v1::ListParticipantsRequest, v1::GetParticipantRequest> request;

  // The type of the requested records.
  const google::protobuf::Descriptor* record = nullptr;

  // HOST:PORT, or another gRPC target.
  std::string server;

  // How to connect, without the user agent.
  ChannelOptions channel;

  // For the whole command.
  absl::Duration timeout = absl::InfiniteDuration();

  // Empty: the service assigns one.
  std::string request_id;

  // Retries in a row.
  int retries = 0;

  // Not set: a table on a terminal, NDJSON elsewhere.
  std::optional<OutputFormat> output;

  // Empty: the output format's default.
  std::vector<RecordField> fields;

  // Write the resume tokens into the JSON.
  bool resume_tokens = false;
};

// The result of a command line that makes no call: help, the version, or a usage error.
struct EarlyExit {
  int exit_code;
  std::string out;
  std::string err;
};

// `arguments` exclude the program's name. Reads the environment variables ROLLCALL_SERVER and
// ROLLCALL_TOKEN_FILE, and the files of certificates and tokens.
std::variant<CommandLine, EarlyExit> ParseCommandLine(const std::vector<std::string>& arguments);

// Calls `describe` with the parser, which has all commands and options.
void DescribeCommandLine(const std::function<void(const CLI::App& app)>& describe);

}  // namespace rollcall
