#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace rollcall {

enum class TextStyle { kHeading, kAlarm };

// Standard output or standard error: an open file descriptor that is written to without a buffer,
// so that each participant is out before the next is waited for, and that remembers the first
// failure. Owned by `RunCommand`, used on the main thread. SIGPIPE must be ignored.
class OutputFile {
 public:
  // Does not own `fd`.
  explicit OutputFile(int fd);

  // Writes all of `text`. False after the first failure and from then on, without trying again.
  bool Write(absl::string_view text);

  // The errno of the first failure, or 0. EPIPE means that the reader went away.
  int error() const { return error_; }

  // The terminal's width in columns, 80 where the terminal does not know; not set where this is no
  // terminal.
  std::optional<int> terminal_width() const { return terminal_width_; }

  // `text` as a terminal is to show it; as it is where this is no terminal, or one that is said to
  // have no styles (TERM not set or "dumb") or to show no colors (NO_COLOR). A newline at its end
  // stays outside.
  std::string Styled(TextStyle style, absl::string_view text) const;

 private:
  const int fd_;
  const std::optional<int> terminal_width_;
  const bool has_styles_;
  int error_ = 0;
};

}  // namespace rollcall
