#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/cli/interrupt.h"

namespace rollcall {

// The exit code and output of a command.
struct Result {
  int exit_code;
  std::string out;
  std::string err;
};

// Widths of the outputs that are terminals.
struct Terminals {
  std::optional<int> out;
  std::optional<int> err;
};

// Runs a command in this process with files, or pseudo-terminals, for its outputs.
Result RunCaptured(const std::vector<std::string>& arguments, const Terminals& terminals = {});
Result RunCaptured(const std::vector<std::string>& arguments, const Terminals& terminals,
                   Interrupt& interrupt);

}  // namespace rollcall
