// The program `rollcall`: shows participants from rollcalld, to people at a terminal and to
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

// If a standard descriptor is closed, the next socket would get its number, and the output would go
// to the socket. Opening /dev/null for the opposite direction makes such output fail instead.
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
// can report how to resume. The second one ends the process, in case the command is blocked in
// writing its output. Must be called before any thread starts, because threads inherit the signal
// mask.
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

// The command reports what gRPC would log. The user can set GRPC_VERBOSITY to see gRPC's log. Must
// be called before any thread starts, because threads may read the environment.
void SilenceGrpc() { setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0); }

}  // namespace

int main(int argc, char** argv) {
  ReserveStandardDescriptors();
  signal(SIGPIPE, SIG_IGN);
  SilenceGrpc();
  // Never destroyed, because the thread that waits for signals outlives main().
  rollcall::Interrupt& interrupt = *new rollcall::Interrupt;
  WatchSignals(interrupt);
  return rollcall::RunCommand(std::vector<std::string>(argv + 1, argv + argc), STDOUT_FILENO,
                              STDERR_FILENO, interrupt);
}
