#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rollcall/channel.h"

namespace rollcall {

// What a failed call is to the person at the terminal.
struct ErrorReport {
  // Lines for standard error, safe for a terminal.
  std::string text;
  int exit_code;
};

// Puts the status of a failed call and its google.rpc details into words: what happened, why, and
// what to do. `server` is where the call went, and `tls` how; not set without encryption. Used by
// `RunCommand`; any thread.
ErrorReport ReportError(const absl::Status& status, absl::string_view server,
                        const std::optional<ChannelTls>& tls);

// How to go on behind the participant that came with `resume_token`: an option for the same command
// line, quoted for the shell.
std::string ResumeOption(absl::string_view resume_token);

}  // namespace rollcall
