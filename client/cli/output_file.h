#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace rollcall {

enum class TextStyle { kHeading, kAlarm };

// Standard output or standard error: writes to a file descriptor without a buffer, so that each
// participant is visible before the next one arrives, and remembers the first failure. SIGPIPE must
// be ignored. Main thread.
class OutputFile {
 public:
  // Does not own `fd`.
  explicit OutputFile(int fd);

  // Writes all of `text`. Returns false on failure, and after a failure writes nothing more.
  bool Write(absl::string_view text);

  // The errno of the first failure, or 0. EPIPE: the reader closed the pipe.
  int error() const { return error_; }

  // The terminal's width in columns, 80 if it is unknown. Not set if this is not a terminal.
  std::optional<int> terminal_width() const { return terminal_width_; }

  // `text` with the terminal's escape sequences for `style`. Unchanged if this is not a terminal,
  // if TERM is not set or "dumb", or if NO_COLOR is set. A final newline stays outside the
  // sequences.
  std::string Styled(TextStyle style, absl::string_view text) const;

 private:
  const int fd_;
  const std::optional<int> terminal_width_;
  const bool has_styles_;
  int error_ = 0;
};

}  // namespace rollcall
