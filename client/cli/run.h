#pragma once

#include <string>
#include <vector>

#include "client/cli/interrupt.h"

namespace rollcall {

// Runs one command of the program `rollcall` and returns the exit code. `arguments` exclude the
// program's name; `out` and `err` are the descriptors of standard output and standard error;
// `interrupt` ends the command early. SIGPIPE must be ignored. Main thread.
int RunCommand(const std::vector<std::string>& arguments, int out, int err, Interrupt& interrupt);

}  // namespace rollcall
