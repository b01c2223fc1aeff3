// SPDX-License-Identifier: MIT
// Breakers for prometheus-cpp: a Collectable over a registry.
//
// needs: prometheus-cpp prometheus-cpp::core
#pragma once

#include <utility>
#include <vector>

#include <prometheus/client_metric.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

#include "fusebox/exposition/metric_families.hpp"
#include "fusebox/exposition/metric_options.hpp"
#include "fusebox/exposition/metrics.hpp"
#include "fusebox/registry/circuit_breaker_registry.hpp"
#include "fusebox/vocabulary/errors.hpp"

namespace fusebox {

/// The metrics of every breaker of a registry, as `prometheusText` has them, made when Prometheus
/// asks: nothing is counted twice.
///
/// `exposer.RegisterCollectable(collectable)` keeps a weak pointer: hold the shared one. The
/// registry must outlive it. **Threads.** `Collect` may be called concurrently.
class PrometheusCollectable final : public prometheus::Collectable {
public:
    /// @throws ConfigError if the options cannot work.
    explicit PrometheusCollectable(const CircuitBreakerRegistry& registry,
                                   MetricOptions options = {})
        : registry_(registry), options_(std::move(options)) {
        if (const auto complaint = validate(options_)) {
            detail::raise(ConfigError{"MetricOptions: " + *complaint});
        }
    }

    // The name is prometheus-cpp's.
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
        std::vector<prometheus::MetricFamily> families;
        for (MetricFamily& family : metricFamilies(registry_.getAllStats(), options_)) {
            prometheus::MetricFamily made;
            made.name = std::move(family.name);
            made.help = std::move(family.help);
            made.type = typeOf(family.type);
            for (MetricSample& sample : family.samples) {
                made.metric.push_back(metricOf(sample, family.type));
            }
            families.push_back(std::move(made));
        }
        return families;
    }

private:
    [[nodiscard]] static prometheus::MetricType typeOf(MetricType type) noexcept {
        switch (type) {
            case MetricType::Counter: return prometheus::MetricType::Counter;
            case MetricType::Gauge: return prometheus::MetricType::Gauge;
            case MetricType::Histogram: return prometheus::MetricType::Histogram;
        }
        return prometheus::MetricType::Untyped;
    }

    [[nodiscard]] static prometheus::ClientMetric metricOf(MetricSample& sample, MetricType type) {
        prometheus::ClientMetric metric;
        for (MetricLabel& label : sample.labels) {
            metric.label.push_back({std::move(label.name), std::move(label.value)});
        }
        switch (type) {
            case MetricType::Counter: metric.counter.value = sample.value; break;
            case MetricType::Gauge: metric.gauge.value = sample.value; break;
            case MetricType::Histogram:
                metric.histogram.sample_count = sample.count;
                metric.histogram.sample_sum = sample.sum;
                for (const MetricBucket& bucket : sample.buckets) {
                    metric.histogram.bucket.push_back({bucket.cumulativeCount, bucket.upperBound});
                }
                break;
        }
        return metric;
    }

    const CircuitBreakerRegistry& registry_;
    const MetricOptions options_;
};

}  // namespace fusebox
