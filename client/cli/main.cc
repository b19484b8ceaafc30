// The program `rollcall`: shows participants that rollcalld lists, for people at a terminal and for
// scripts.

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "client/cli/exit_code.h"
#include "client/cli/interrupt.h"
#include "client/cli/run.h"

namespace {

// Where a standard descriptor is closed, a connection would get its number and then the output.
// Opened for the other direction, it fails as it should instead.
void ReserveStandardDescriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) == -1) open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

bool IsIgnored(int signal) {
  struct sigaction action {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

// The first Ctrl-C or SIGTERM cancels the call, so that the service stops at once and the command
// can say how to go on. The second one ends the process, for a command that is stuck in writing its
// output. To be called before any thread starts, since threads inherit what is blocked.
void WatchSignals(rollcall::Interrupt& interrupt) {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM}) {
    if (!IsIgnored(signal)) sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals, &interrupt] {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) return;
    interrupt.Raise(signal);
    if (sigwait(&signals, &signal) == 0) _exit(rollcall::kExitSignalBase + signal);
  }).detach();
}

// What gRPC would log, the command says itself. GRPC_VERBOSITY brings gRPC's lines back. To be
// called before any thread starts, since threads may read the environment.
void SilenceGrpc() { setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0); }

}  // namespace

int main(int argc, char** argv) {
  ReserveStandardDescriptors();
  signal(SIGPIPE, SIG_IGN);
  SilenceGrpc();
  // Never destroyed, since the thread that waits for signals outlives main().
  rollcall::Interrupt& interrupt = *new rollcall::Interrupt;
  WatchSignals(interrupt);
  return rollcall::RunCommand(std::vector<std::string>(argv + 1, argv + argc), STDOUT_FILENO,
                              STDERR_FILENO, interrupt);
}
