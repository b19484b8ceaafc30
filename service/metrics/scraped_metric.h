// Metrics whose values are determined on each scrape instead of being kept. On the admin server's
// thread.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <utility>
#include <vector>

namespace rollcall::service {

// A metric without values.
inline prometheus::MetricFamily ScrapedMetric(std::string name, std::string help,
                                              prometheus::MetricType type) {
  return {std::move(name), std::move(help), type, {}};
}

// Adds a value. The labels of each value of a metric must differ.
inline void AddValue(prometheus::MetricFamily& metric, double value,
                     std::vector<prometheus::ClientMetric::Label> labels = {}) {
  prometheus::ClientMetric& added = metric.metric.emplace_back();
  added.label = std::move(labels);
  added.gauge.value = value;
  added.counter.value = value;
}

}  // namespace rollcall::service
