#include "tests/end_to_end/daemon.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "tests/paths.h"
#include "tests/simulator/participants.h"

namespace rollcall {
namespace {

#ifdef ROLLCALL_SANITIZED
// Whether a sanitizer's report is a defect. ThreadSanitizer does not see how gRPC synchronizes its
// threads, and reports most of what they share as a race. So a race counts only if neither of its
// two stacks runs under gRPC. It does not count either if one of the stacks is unknown: no longer
// remembered, or not written before the program was killed.
bool IsFinding(absl::string_view report) {
  if (!absl::StrContains(report, "ThreadSanitizer: ")) {
    return absl::StrContains(report, "Sanitizer: ") || absl::StrContains(report, "runtime error: ");
  }
  if (!absl::StrContains(report, "SUMMARY: ")) return false;
  // The rest of the report says where the memory was allocated and who created the threads.
  for (const absl::string_view next : {"\n  Location is ", "\n  Mutex M", "\n  Thread T"}) {
    report = report.substr(0, report.find(next));
  }
  return absl::StrContains(report, "WARNING: ") && !absl::StrContains(report, "grpc") &&
         !absl::StrContains(report, "[failed to restore the stack]");
}
#endif

// Returns in the first process of a new PID namespace. The calling process exits with its exit
// code.
void BecomeFirstProcess() {
  if (unshare(CLONE_NEWPID) != 0) _exit(Daemon::kNotPermitted);
  const pid_t first = fork();
  if (first == 0) return;
  int status = 0;
  waitpid(first, &status, 0);
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

}  // namespace

std::unique_ptr<Daemon> Daemon::WithConfiguration(const nlohmann::json& configuration, Role role) {
  std::string path = (std::filesystem::temp_directory_path() / "rollcalld-config-XXXXXX").string();
  close(mkstemp(path.data()));
  std::ofstream(path) << configuration;
  auto daemon = std::make_unique<Daemon>(std::vector<std::string>{"--config", path}, role);
  std::filesystem::remove(path);
  return daemon;
}

Daemon::Daemon(const std::vector<std::string>& arguments, Role role) : role_(role) {
  std::string errors =
      (std::filesystem::temp_directory_path() / "rollcalld-errors-XXXXXX").string();
  const int errors_fd = mkstemp(errors.data());
  errors_file_ = errors;
  std::array<int, 2> output{};
  if (pipe2(output.data(), O_CLOEXEC) != 0) return;

  std::vector<char*> argv;
  std::string program = BuildPath("bin/rollcalld");
  argv.push_back(program.data());
  std::vector<std::string> copies = arguments;
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
#ifdef ROLLCALL_SANITIZED
  // IsFinding() judges the reports, and the exit code stays the program's own.
  const char* const options = std::getenv("TSAN_OPTIONS");
  std::string quiet =
      absl::StrCat("TSAN_OPTIONS=", options != nullptr ? options : "", ":exitcode=0");
#endif

  pid_ = fork();
  if (pid_ == 0) {
#ifdef ROLLCALL_SANITIZED
    putenv(quiet.data());
#endif
    dup2(output[1], STDOUT_FILENO);
    dup2(errors_fd, STDERR_FILENO);
    if (role == Role::kFirstProcess) BecomeFirstProcess();
    execv(program.c_str(), argv.data());
    _exit(127);
  }
  close(output[1]);
  close(errors_fd);

  output_ = fdopen(output[0], "r");
  address_ = ReadLine("rollcalld listening on ");
}

Daemon::~Daemon() {
  if (IsRunning()) {
    Signal(SIGKILL);
    Wait();
  }
  if (output_ != nullptr) std::fclose(output_);
#ifdef ROLLCALL_SANITIZED
  for (const absl::string_view report : absl::StrSplit(Errors(), "==================\n")) {
    if (IsFinding(report)) ADD_FAILURE() << "a sanitizer's report from rollcalld:\n" << report;
  }
#endif
  unlink(errors_file_.c_str());
}

std::string Daemon::ReadMetricsUrl() { return ReadLine("rollcalld metrics on "); }

std::string Daemon::ReadLine(const std::string& prefix) {
  std::array<char, 256> line{};
  if (std::fgets(line.data(), line.size(), output_) == nullptr) return "";
  absl::string_view text = line.data();
  if (!absl::ConsumePrefix(&text, prefix)) return "";
  return std::string(absl::StripSuffix(text, "\n"));
}

std::string Daemon::RestOfOutput() {
  std::string rest;
  for (int byte = std::fgetc(output_); byte != EOF; byte = std::fgetc(output_)) {
    rest.push_back(static_cast<char>(byte));
  }
  return rest;
}

void Daemon::Signal(int number) {
  if (exit_code_) return;
  pid_t pid = pid_;
  if (role_ == Role::kFirstProcess) {
    std::ifstream children(absl::StrCat("/proc/", pid_, "/task/", pid_, "/children"));
    if (!(children >> pid)) return;
  }
  kill(pid, number);
}

int Daemon::Wait() {
  if (!exit_code_) {
    int status = 0;
    waitpid(pid_, &status, 0);
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return *exit_code_;
}

bool Daemon::IsRunning() {
  if (exit_code_) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

std::string Daemon::Errors() const {
  std::ifstream file(errors_file_);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<nlohmann::json> Daemon::EndAndReadLog() {
  Signal(SIGTERM);
  Wait();
  std::vector<nlohmann::json> lines;
  std::istringstream text(Errors());
  for (std::string line; std::getline(text, line);) {
    nlohmann::json parsed = nlohmann::json::parse(line, nullptr, false);
#ifdef ROLLCALL_SANITIZED
    // Sanitizers write to standard error, too.
    if (parsed.is_discarded()) continue;
#endif
    lines.push_back(std::move(parsed));
  }
  return lines;
}

size_t Daemon::ResidentBytes() const {
  std::ifstream file(absl::StrCat("/proc/", pid_, "/statm"));
  size_t total = 0;
  size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

size_t Daemon::PeakResidentBytes() const {
  std::ifstream file(absl::StrCat("/proc/", pid_, "/status"));
  for (std::string line; std::getline(file, line);) {
    absl::string_view text = line;
    size_t kibibytes = 0;
    if (absl::ConsumePrefix(&text, "VmHWM:") && absl::ConsumeSuffix(&text, " kB") &&
        absl::SimpleAtoi(text, &kibibytes)) {
      return kibibytes << 10;
    }
  }
  return 0;
}

size_t Daemon::CallerConnections() const {
  constexpr absl::string_view kListening = "0A";
  int port = 0;
  if (!absl::SimpleAtoi(address_.substr(address_.rfind(':') + 1), &port)) return 0;
  const std::string local_port = absl::StrFormat(":%04X", port);
  size_t count = 0;
  for (const char* const table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    for (std::string line; std::getline(file, line);) {
      const std::vector<std::string> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
      // The kernel shows no inode for sockets that no process has open any more.
      if (fields.size() > 9 && absl::EndsWith(fields[1], local_port) && fields[3] != kListening &&
          fields[9] != "0") {
        ++count;
      }
    }
  }
  return count;
}

size_t Daemon::OpenSockets() const {
  size_t count = 0;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(absl::StrCat("/proc/", pid_, "/fd"), error)) {
    const auto target = std::filesystem::read_symlink(entry.path(), error);
    if (target.string().rfind("socket:", 0) == 0) ++count;
  }
  return count;
}

size_t Daemon::OpenDescriptors() const { return EntriesOf("fd"); }

std::vector<std::string> Daemon::FilesInMemory() const {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(absl::StrCat("/proc/", pid_, "/fd"), error)) {
    const auto target = std::filesystem::read_symlink(entry.path(), error);
    if (target.string().rfind("/memfd:", 0) == 0) paths.push_back(entry.path().string());
  }
  return paths;
}

size_t Daemon::Threads() const { return EntriesOf("task"); }

void Daemon::LimitOpenFiles(size_t count) const {
  rlimit limit{};
  EXPECT_EQ(prlimit(pid_, RLIMIT_NOFILE, nullptr, &limit), 0);
  limit.rlim_cur = count;
  EXPECT_EQ(prlimit(pid_, RLIMIT_NOFILE, &limit, nullptr), 0);
}

size_t Daemon::CoreLimit() const {
  rlimit limit{};
  prlimit(pid_, RLIMIT_CORE, nullptr, &limit);
  return limit.rlim_cur;
}

size_t Daemon::EntriesOf(const char* directory) const {
  std::error_code error;
  const std::filesystem::directory_iterator entries(absl::StrCat("/proc/", pid_, "/", directory),
                                                    error);
  return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

nlohmann::json SimulatorConfiguration(const std::string& base_url) {
  return {{"listen", "127.0.0.1:0"},
          {"upstreams",
           {{{"name", "twilio"},
             {"provider", "twilio"},
             {"account_sid", simulator::DefaultAccount(simulator::Api::kVoiceInsights)},
             {"auth_token", "simulator"},
             {"insights_base_url", base_url},
             {"api_base_url", base_url}},
            {{"name", "signalwire"},
             {"provider", "signalwire"},
             {"project_id", simulator::DefaultAccount(simulator::Api::kSignalWire)},
             {"api_token", "simulator"},
             {"base_url", base_url}}}}};
}

}  // namespace rollcall
