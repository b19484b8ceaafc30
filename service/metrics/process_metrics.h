// What the kernel knows of this process, under the names that every Prometheus client gives it, so
// that dashboards made for others show it too. Called on the admin server's thread.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <vector>

namespace rollcall {

// process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds, process_max_fds and
// process_start_time_seconds; those that /proc does not give are left out.
std::vector<prometheus::MetricFamily> ProcessMetrics();

// Resident memory in bytes; 0 where /proc does not say.
int64_t ResidentBytes();

}  // namespace rollcall
