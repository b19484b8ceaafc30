// The part of a manual page that describes a program's commands and options, in groff's man macros.
// Templates have the rest of the page.
#pragma once

#include <string>

#include "client/cli/reference/command_tree.h"

namespace rollcall {

// A subsection for the options that all commands share, then one per command with its own options.
// If the program has no commands, only the options.
std::string ManualOfOptions(const CommandDescription& program);

// One line of text, escaped so that groff finds no requests or escapes in it.
std::string ManualText(const std::string& text);

}  // namespace rollcall
