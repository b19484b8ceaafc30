#pragma once

#include <string>

#include "absl/strings/string_view.h"

// Makes text that others chose, such as a label or an error's message, fit for a terminal. Used by
// whatever writes such text for people: the table, detail and CSV writers and the error report. Any
// thread.

namespace rollcall {

// `text` as valid UTF-8 without anything that drives a terminal or reorders what it shows: control
// characters become
// "\n", "\r", "\t" or "\x1b", marks that change the direction of writing or break the line
// "\u{202e}", and bytes that are not UTF-8 "\xff". Everything else, backslashes too, stays as it
// is.
std::string EscapeForTerminal(absl::string_view text);

// The columns that `text`, which must be escaped, takes on a terminal. Wide characters take two,
// combining ones none.
int DisplayWidth(absl::string_view text);

// `text`, which must be escaped, cut between characters to at most `width` columns. Where anything
// was cut off, the last column is an ellipsis.
std::string CutToWidth(absl::string_view text, int width);

}  // namespace rollcall
