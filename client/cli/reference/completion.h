// Shell completions of a program's command line: its commands, options, and option values that are
// files or have a fixed set of choices.
#pragma once

#include <string>

#include "client/cli/reference/command_tree.h"

namespace rollcall {

// For /usr/share/bash-completion/completions/PROGRAM. Needs only bash.
std::string BashCompletion(const CommandDescription& program);

// For _PROGRAM in a folder of zsh's fpath.
std::string ZshCompletion(const CommandDescription& program);

}  // namespace rollcall
