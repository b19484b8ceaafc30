// Makes text of unknown origin, such as a label or an error message, safe for a terminal.
// Thread-safe.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace rollcall {

// `text` as valid UTF-8 without characters that control a terminal or change the order of what it
// shows. Control characters become "\n", "\r", "\t" or "\x1b"; invisible characters that change the
// direction of text, break lines or hide text become "\u{202e}"; bytes that are not UTF-8 become
// "\xff". Everything else, including backslashes, stays.
std::string EscapeForTerminal(absl::string_view text);

// `json`, which must be valid JSON, with the same characters escaped as JSON escapes them
// ("\u202e"): the value stays the same. Line feeds stay, which JSON has only between its tokens.
std::string EscapeJsonForTerminal(absl::string_view json);

// The columns of `text` on a terminal. Wide characters take two, combining ones none. `text` must
// be escaped.
int DisplayWidth(absl::string_view text);

// `text` cut between characters to at most `width` columns. If anything was cut, the last column is
// an ellipsis. `text` must be escaped.
std::string CutToWidth(absl::string_view text, int width);

}  // namespace rollcall
