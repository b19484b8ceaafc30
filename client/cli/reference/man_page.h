// The part of a manual page that says what a program's commands and options are, in groff's man
// macros. The rest of a page is text, in the templates that this fills.
#pragma once

#include <string>

#include "client/cli/reference/command_tree.h"

namespace rollcall {

// A subsection for what all commands have, then one for each command with what only it has. Where
// the program has no commands, the options alone.
std::string ManualOfOptions(const CommandDescription& program);

// One line of text, such that groff takes nothing in it for a request or an escape.
std::string ManualText(const std::string& text);

}  // namespace rollcall
