// The program as a shell starts it: signals and pipes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/client/fake_server.h"
#include "tests/end_to_end/certificate.h"
#include "tests/paths.h"

namespace rollcall {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// Null-terminated, for posix_spawn().
std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// A running program. Its standard output and standard error are read together.
class Program {
 public:
  // Runs with the test's environment without GRPC_VERBOSITY, and with `environment`.
  explicit Program(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
    for (char** variable = environ; *variable != nullptr; ++variable) {
      if (!absl::StartsWith(*variable, "GRPC_VERBOSITY=")) environment.push_back(*variable);
    }
    arguments.insert(arguments.begin(), BuildPath("bin/rollcall"));
    const std::vector<char*> argv = Pointers(arguments);
    const std::vector<char*> envp = Pointers(environment);
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    EXPECT_EQ(posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), envp.data()), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    out_ = ends[0];
  }

  // Waits for more output. Returns false at its end.
  bool Read() {
    char buffer[4096];
    const ssize_t size = read(out_, buffer, sizeof(buffer));
    if (size > 0) output_.append(buffer, static_cast<size_t>(size));
    return size > 0;
  }

  // The output read so far.
  const std::string& output() const { return output_; }

  void CloseOutput() { close(out_); }

  void Signal(int signal) const { kill(pid_, signal); }

  int ExitCode() const {
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_ = 0;
  int out_ = -1;
  std::string output_;
};

class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() {
    script_.Add("token").mutable_live_participant()->set_call_sid("A");
    script_.endless = true;
  }

  // Starts the current script, and returns the arguments of a command against it.
  std::vector<std::string> Arguments() {
    server_.Play(script_);
    return {"list", "live", "X", "--server", server_.address()};
  }

  Script script_;
  FakeServer server_;
};

TEST_F(ProgramTest, EndsWhenTheReaderOfItsOutputCloses) {
  Program program(Arguments());
  EXPECT_TRUE(program.Read());
  program.CloseOutput();
  EXPECT_EQ(program.ExitCode(), 141);
  server_.Stop();
  EXPECT_TRUE(server_.cancelled());
}

TEST_F(ProgramTest, SignalCancelsTheCall) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Program program(Arguments());
    EXPECT_TRUE(program.Read());
    program.Signal(signal);
    while (program.Read()) {
    }
    EXPECT_EQ(program.ExitCode(), 128 + signal);
    program.CloseOutput();
  }
}

TEST_F(ProgramTest, SecondSignalEndsItWhileItsOutputIsBlocked) {
  Program program(Arguments());
  EXPECT_TRUE(program.Read());
  // The output is not read any more. Two signals of one kind may be merged, so send two kinds.
  program.Signal(SIGINT);
  program.Signal(SIGTERM);
  const int exit_code = program.ExitCode();
  EXPECT_TRUE(exit_code == 128 + SIGINT || exit_code == 128 + SIGTERM) << exit_code;
  program.CloseOutput();
}

// In a separate process, no other thread runs gRPC's code and reconnects.
TEST_F(ProgramTest, ResumesWhenItsServerIsBack) {
  std::vector<std::string> arguments = Arguments();
  arguments.insert(arguments.end(), {"--retries", "1000000"});
  Program program(arguments);
  EXPECT_TRUE(program.Read());
  server_.Break();
  script_.endless = false;
  server_.Play(script_);
  server_.Start();
  while (program.Read()) {
  }
  EXPECT_EQ(program.ExitCode(), 0);
  EXPECT_EQ(server_.list_request().resume_token(), "token");
  program.CloseOutput();
}

TEST_F(ProgramTest, GrpcLogsOnlyIfVerbosityIsSet) {
  const std::string ca_file = testing::TempDir() + "/program_test_ca";
  std::ofstream(ca_file) << Certificate::Authority().certificate();
  std::vector<std::string> arguments = Arguments();
  // The server does not speak TLS, and gRPC logs each attempt.
  arguments.insert(arguments.end(), {"--ca-file", ca_file, "--retries", "0"});
  Program quiet(arguments);
  while (quiet.Read()) {
  }
  EXPECT_EQ(quiet.ExitCode(), 5);
  EXPECT_THAT(quiet.output(), MatchesRegex("rollcall: UNAVAILABLE: [^\n]*\n  hint: [^\n]*\n"));
  quiet.CloseOutput();
  Program talkative(arguments, {"GRPC_VERBOSITY=ERROR"});
  while (talkative.Read()) {
  }
  EXPECT_EQ(talkative.ExitCode(), 5);
  EXPECT_THAT(talkative.output(), HasSubstr("Handshake failed"));
  talkative.CloseOutput();
}

TEST_F(ProgramTest, CompleteListExitsWithZero) {
  script_.endless = false;
  Program program(Arguments());
  while (program.Read()) {
  }
  EXPECT_EQ(program.ExitCode(), 0);
  program.CloseOutput();
}

}  // namespace
}  // namespace rollcall
