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

// NOLINTNEXTLINE(readability-identifier-naming): as CLI11 has it.
namespace CLI {
class App;
}

namespace rollcall {

enum class OutputFormat { kTable, kNdjson, kJson, kCsv };

// What a command line asks for: valid as far as it can be told without the service. Made by
// `ParseCommandLine`, read by `RunCommand`, on the main thread.
struct CommandLine {
  // All but the read mask, which depends on the output too.
  std::variant<v1::ListParticipantsRequest, v1::GetParticipantRequest> request;

  // The type of the records in the answer.
  const google::protobuf::Descriptor* record = nullptr;

  // HOST:PORT, or another gRPC target.
  std::string server;

  // How the service is met, without the program's name.
  ChannelOptions channel;

  // For the whole command.
  absl::Duration timeout = absl::InfiniteDuration();

  // Empty: the service makes one.
  std::string request_id;

  // How often in a row to call again where the service is unavailable or asks to come back later.
  int retries = 0;

  // Not set: a table on a terminal, NDJSON elsewhere.
  std::optional<OutputFormat> output;

  // Empty: the output's own choice.
  std::vector<RecordField> fields;

  // Write the resume tokens into the JSON.
  bool resume_tokens = false;
};

// A command line that asks for no call: for help or the version, or it is wrong.
struct EarlyExit {
  int exit_code;
  std::string out;
  std::string err;
};

// `arguments` are those behind the program's name. Reads the environment
// variables ROLLCALL_SERVER and ROLLCALL_TOKEN_FILE, and the files of certificates and tokens.
std::variant<CommandLine, EarlyExit> ParseCommandLine(const std::vector<std::string>& arguments);

// Shows the parser, with all commands and options, to whoever writes about them.
void DescribeCommandLine(const std::function<void(const CLI::App& app)>& describe);

}  // namespace rollcall
