#include "service/metrics/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include "service/metrics/scraped_metric.h"

namespace rollcall::service {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

std::string Read(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

double TicksASecond() { return static_cast<double>(sysconf(_SC_CLK_TCK)); }

// When the machine started, in Unix time.
std::optional<double> BootTime() {
  std::istringstream lines(Read("/proc/stat"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string key;
    double value = 0;
    if (words >> key >> value && key == "btime") return value;
  }
  return std::nullopt;
}

// When this process started, in Unix time.
std::optional<double> StartTime() {
  const std::string stat = Read("/proc/self/stat");
  const auto boot = BootTime();
  // The second field is the program's name in brackets, which may contain spaces and brackets.
  const size_t name_end = stat.rfind(')');
  if (!boot || name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat.substr(name_end + 1));
  constexpr int kStartTime = 22;
  std::string field;
  for (int number = 3; number <= kStartTime; ++number) fields >> field;
  if (!fields) return std::nullopt;
  return *boot + std::stod(field) / TicksASecond();
}

std::optional<int> OpenDescriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir("/proc/self/fd"), closedir);
  if (directory == nullptr) return std::nullopt;
  int count = 0;
  while (const dirent* entry = readdir(directory.get())) {
    if (entry->d_name[0] != '.') ++count;
  }
  return count - 1;  // the directory's own
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

int64_t ResidentBytes() {
  std::istringstream fields(Read("/proc/self/statm"));
  int64_t total = 0;
  int64_t resident = 0;
  return fields >> total >> resident ? resident * sysconf(_SC_PAGESIZE) : 0;
}

std::vector<MetricFamily> ProcessMetrics() {
  std::vector<MetricFamily> metrics;
  const auto add = [&metrics](const char* name, const char* help, MetricType type, double value) {
    AddValue(metrics.emplace_back(ScrapedMetric(name, help, type)), value);
  };
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    add("process_cpu_seconds_total", "User and system CPU time", MetricType::Counter,
        Seconds(usage.ru_utime) + Seconds(usage.ru_stime));
  }
  if (const int64_t resident = ResidentBytes(); resident > 0) {
    add("process_resident_memory_bytes", "Resident memory", MetricType::Gauge,
        static_cast<double>(resident));
  }
  if (const auto open = OpenDescriptors()) {
    add("process_open_fds", "Open file descriptors", MetricType::Gauge, *open);
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    add("process_max_fds", "Limit of open file descriptors", MetricType::Gauge,
        static_cast<double>(limit.rlim_cur));
  }
  static const std::optional<double> kStart = StartTime();
  if (kStart) {
    add("process_start_time_seconds", "Start time of the process, in Unix time", MetricType::Gauge,
        *kStart);
  }
  return metrics;
}

}  // namespace rollcall::service
