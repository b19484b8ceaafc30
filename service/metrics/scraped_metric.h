// Metrics whose values are looked up when they are scraped, rather than kept. Used by what knows
// such values, on the admin server's thread.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <utility>
#include <vector>

namespace rollcall {

// A metric as a scraper sees it, without a value yet.
inline prometheus::MetricFamily ScrapedMetric(std::string name, std::string help,
                                              prometheus::MetricType type) {
  return {std::move(name), std::move(help), type, {}};
}

// Adds a value. With labels, each value must have others.
inline void AddValue(prometheus::MetricFamily& metric, double value,
                     std::vector<prometheus::ClientMetric::Label> labels = {}) {
  prometheus::ClientMetric& added = metric.metric.emplace_back();
  added.label = std::move(labels);
  added.gauge.value = value;
  added.counter.value = value;
}

}  // namespace rollcall
