// What the kernel knows of this process, under the standard names of Prometheus clients, so that
// existing dashboards work. Called on the admin server's thread.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <vector>

namespace rollcall::service {

// process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds, process_max_fds and
// process_start_time_seconds, as far as /proc has them.
std::vector<prometheus::MetricFamily> ProcessMetrics();

// Resident memory in bytes; 0 if unknown.
int64_t ResidentBytes();

}  // namespace rollcall::service
