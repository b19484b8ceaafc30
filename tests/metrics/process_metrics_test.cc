#include "service/metrics/process_metrics.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <string>

namespace rollcall::service {
namespace {

// NaN if there is no such metric.
double MetricValue(const std::string& name) {
  for (const auto& metric : ProcessMetrics()) {
    if (metric.name == name) return metric.metric.at(0).gauge.value;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

TEST(ProcessMetricsTest, CountsOpenDescriptors) {
  const double before = MetricValue("process_open_fds");
  const int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(MetricValue("process_open_fds"), before + 1);
  close(descriptor);
  EXPECT_EQ(MetricValue("process_open_fds"), before);
  EXPECT_GE(MetricValue("process_max_fds"), before);
}

TEST(ProcessMetricsTest, KnowsMemoryAndTime) {
  const double before = MetricValue("process_resident_memory_bytes");
  const std::string block(size_t{64} << 20, 'x');
  EXPECT_GE(MetricValue("process_resident_memory_bytes"), before + 48e6) << block.back();
  EXPECT_GT(MetricValue("process_cpu_seconds_total"), 0);
  const auto now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  EXPECT_NEAR(MetricValue("process_start_time_seconds"), now, 3600);
}

}  // namespace
}  // namespace rollcall::service
