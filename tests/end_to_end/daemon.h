// Runs the real rollcalld as a process on a free port, and stops it when destroyed. A sanitizer
// report that it has written by then fails the test.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"

namespace rollcall {

class Daemon {
 public:
  // What the program is for the kernel.
  enum class Role {
    kProcess,
    kFirstProcess,  // of a PID namespace, as in a container; exits with kNotPermitted if it must
                    // not
  };
  static constexpr int kNotPermitted = 77;

  // Starts the program with these arguments and waits until it listens or exits.
  explicit Daemon(const std::vector<std::string>& arguments, Role role = Role::kProcess);
  // The same with a configuration file of this content.
  static std::unique_ptr<Daemon> WithConfiguration(const nlohmann::json& configuration,
                                                   Role role = Role::kProcess);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Host and port; empty if it never listened.
  const std::string& address() const { return address_; }

  // The URL of its metrics, from the line after the first. Only for a rollcalld that serves
  // metrics, and only once.
  std::string ReadMetricsUrl();

  // Its standard output that was not read yet, up to the end.
  std::string RestOfOutput();

  void Signal(int number);

  // Waits until it exits. Returns its exit code, or 128 plus the number of the signal that killed
  // it.
  int Wait();

  // Whether it still runs.
  bool IsRunning();

  // Its standard error so far; complete after Wait().
  std::string Errors() const;

  // Stops it with SIGTERM and returns its complete log.
  std::vector<nlohmann::json> EndAndReadLog();

  // Resident memory in bytes, as the kernel counts it.
  size_t ResidentBytes() const;

  // The most resident memory that it has had so far, in bytes.
  size_t PeakResidentBytes() const;

  // Callers' connections; only if it listens on TCP.
  size_t CallerConnections() const;

  // Its open sockets, and its open descriptors of every kind.
  size_t OpenSockets() const;
  size_t OpenDescriptors() const;

  // Paths through which other processes could open its in-memory files.
  std::vector<std::string> FilesInMemory() const;

  size_t Threads() const;

  // Sets its soft limit of open files.
  void LimitOpenFiles(size_t count) const;

  // Its soft limit for the size of a core dump, in bytes.
  size_t CoreLimit() const;

 private:
  // The rest of its next line on standard output after `prefix`; empty if the line begins
  // differently, or it has exited.
  std::string ReadLine(const std::string& prefix);
  // Number of entries in this directory of it under /proc.
  size_t EntriesOf(const char* directory) const;

  const Role role_;
  pid_t pid_ = -1;  // of the process that waits for the first process, if that is its role
  std::optional<int> exit_code_;
  std::FILE* output_ = nullptr;
  std::string errors_file_;
  std::string address_;
};

// A configuration whose upstreams "twilio" and "signalwire" are both the provider simulator at this
// URL.
nlohmann::json SimulatorConfiguration(const std::string& base_url);

}  // namespace rollcall
