#include "client/cli/output_file.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace rollcall {
namespace {

std::optional<int> TerminalWidth(int fd) {
  if (isatty(fd) == 0) return std::nullopt;
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

absl::string_view FromEnvironment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool MayHaveStyles() {
  const absl::string_view terminal = FromEnvironment("TERM");
  return FromEnvironment("NO_COLOR").empty() && !terminal.empty() && terminal != "dumb";
}

}  // namespace

OutputFile::OutputFile(int fd)
    : fd_(fd),
      terminal_width_(TerminalWidth(fd)),
      has_styles_(terminal_width_.has_value() && MayHaveStyles()) {}

bool OutputFile::Write(absl::string_view text) {
  while (error_ == 0 && !text.empty()) {
    const ssize_t written = write(fd_, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      // Another program that shares the terminal or pipe has set it to non-blocking.
      pollfd writable{fd_, POLLOUT, 0};
      poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  return error_ == 0;
}

std::string OutputFile::Styled(TextStyle style, absl::string_view text) const {
  if (!has_styles_ || text.empty()) return std::string(text);
  const absl::string_view line = absl::StripSuffix(text, "\n");
  // Bold, and bold in red.
  return absl::StrCat(style == TextStyle::kHeading ? "\x1b[1m" : "\x1b[1;31m", line, "\x1b[m",
                      text.substr(line.size()));
}

}  // namespace rollcall
