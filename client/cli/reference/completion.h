// What shells complete a program's command line by: its commands, options, and values of which only
// some are good; files where a value is one.
#pragma once

#include <string>

#include "client/cli/reference/command_tree.h"

namespace rollcall {

// For /usr/share/bash-completion/completions/PROGRAM. Needs nothing but bash.
std::string BashCompletion(const CommandDescription& program);

// For _PROGRAM in a folder of zsh's fpath.
std::string ZshCompletion(const CommandDescription& program);

}  // namespace rollcall
