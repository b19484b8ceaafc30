#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rollcall/channel.h"

namespace rollcall {

// A failed call as the user sees it.
struct ErrorReport {
  // Lines for standard error, escaped for a terminal.
  std::string text;
  int exit_code;
};

// Describes the status of a failed call and its google.rpc details: what happened, why, and what to
// do. `server` is the address called; `tls` is not set if the channel is not encrypted.
// Thread-safe.
ErrorReport ReportError(const absl::Status& status, absl::string_view server,
                        const std::optional<ChannelTls>& tls);

// The option, quoted for the shell, with which the same command line resumes after the participant
// that had `resume_token`.
std::string ResumeOption(absl::string_view resume_token);

}  // namespace rollcall
