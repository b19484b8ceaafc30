#include "tests/client/run_command.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <thread>

#include "client/cli/run.h"

namespace rollcall {
namespace {

// Captures an output of a command: a file, or a pseudo-terminal that a thread reads.
class Capture {
 public:
  explicit Capture(std::optional<int> terminal_width) {
    if (!terminal_width.has_value()) {
      file_.reset(std::tmpfile());
      fd_ = fileno(file_.get());
      return;
    }
    termios raw{};
    cfmakeraw(&raw);
    winsize size{};
    size.ws_col = static_cast<unsigned short>(*terminal_width);
    EXPECT_EQ(openpty(&reading_fd_, &fd_, nullptr, &raw, &size), 0);
    reader_ = std::thread([this] { ReadAll(); });
  }

  int fd() const { return fd_; }

  std::string Text() {
    if (file_ != nullptr) {
      reading_fd_ = fd_;
      lseek(fd_, 0, SEEK_SET);
      ReadAll();
    } else {
      close(fd_);  // Ends the reader.
      reader_.join();
      close(reading_fd_);
    }
    return text_;
  }

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  void ReadAll() {
    char buffer[4096];
    ssize_t size;
    while ((size = read(reading_fd_, buffer, sizeof(buffer))) > 0) {
      text_.append(buffer, static_cast<size_t>(size));
    }
  }

  std::unique_ptr<std::FILE, Closer> file_;
  int fd_ = -1;
  int reading_fd_ = -1;
  std::string text_;
  std::thread reader_;
};

}  // namespace

Result RunCaptured(const std::vector<std::string>& arguments, const Terminals& terminals,
                   Interrupt& interrupt) {
  Capture out(terminals.out);
  Capture err(terminals.err);
  const int exit_code = RunCommand(arguments, out.fd(), err.fd(), interrupt);
  return {exit_code, out.Text(), err.Text()};
}

Result RunCaptured(const std::vector<std::string>& arguments, const Terminals& terminals) {
  Interrupt interrupt;
  return RunCaptured(arguments, terminals, interrupt);
}

}  // namespace rollcall
