// A rollcalld of a test's own: the real program as a process, on a free port. Ends it when
// destroyed; what a sanitizer reported in it by then is a failure of the test.
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
  // Starts the program with these arguments and waits until it listens or has ended.
  explicit Daemon(const std::vector<std::string>& arguments);
  // The same with a configuration file of this content.
  static std::unique_ptr<Daemon> WithConfiguration(const nlohmann::json& configuration);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Host and port; empty where it did not come to listen.
  const std::string& address() const { return address_; }

  // The URL of its metrics, from the line that follows the first. For one that was told to serve
  // them, and once.
  std::string ReadMetricsUrl();

  // What it wrote to standard output and was not read yet, up to its end.
  std::string RestOfOutput();

  void Signal(int number);

  // Waits for its end and returns its exit code, or 128 and the number of the signal that ended it.
  int Wait();

  // Whether it still runs.
  bool IsRunning();

  // What it wrote to standard error so far; all of it after Wait().
  std::string Errors() const;

  // Ends it by SIGTERM and reads its log, of which all lines are then there.
  std::vector<nlohmann::json> EndAndReadLog();

  // Resident memory in bytes, as the kernel counts it.
  size_t ResidentBytes() const;

  // Its callers' connections. Where it listens on TCP.
  size_t CallerConnections() const;

  // Sockets it has open, and descriptors of every kind.
  size_t OpenSockets() const;
  size_t OpenDescriptors() const;

  // Paths by which others may open the files that it has in memory only.
  std::vector<std::string> FilesInMemory() const;

  size_t Threads() const;

  // How large a core of it may be, in bytes.
  size_t CoreLimit() const;

 private:
  // What follows `prefix` in its next line of standard output; empty where the line is another one,
  // or it has ended.
  std::string ReadLine(const std::string& prefix);
  // How many entries its directory of that name under /proc has.
  size_t EntriesOf(const char* directory) const;

  pid_t pid_ = -1;
  std::optional<int> exit_code_;
  std::FILE* output_ = nullptr;
  std::string errors_file_;
  std::string address_;
};

// A configuration whose upstreams "twilio" and "signalwire" are both the provider simulator at this
// URL.
nlohmann::json SimulatorConfiguration(const std::string& base_url);

}  // namespace rollcall
