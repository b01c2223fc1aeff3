// SPDX-License-Identifier: MIT
// A metric of a breaker: its name, its type, what it says, and how it is had from the statistics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/exposition/metric_families.hpp"
#include "fusebox/window/latency_distribution.hpp"

namespace fusebox::detail {

/// Seconds of a duration; infinite for "never".
[[nodiscard]] inline double toSeconds(std::chrono::nanoseconds duration) noexcept {
    if (duration == kForever) return std::numeric_limits<double>::infinity();
    return static_cast<double>(duration.count()) / 1e9;
}

/// Takes the time series of one breaker and one metric.
class MetricWriter {
public:
    MetricWriter(MetricFamily& family, const std::vector<MetricLabel>& common)
        : family_(family), common_(common) {}

    /// @param own the labels that tell the time series of one breaker apart.
    void add(std::initializer_list<MetricLabel> own, double value) { sample(own).value = value; }
    void add(std::initializer_list<MetricLabel> own, std::uint64_t value) {
        add(own, static_cast<double>(value));
    }
    void add(double value) { add({}, value); }
    void add(std::uint64_t value) { add({}, value); }

    /// A histogram of the measured calls. A breaker that measures none has one all the same: of all
    /// its calls, in the infinite bucket only.
    void add(std::initializer_list<MetricLabel> own, const LatenciesByOutcome& all,
             const LatencyDistribution& latencies, std::uint64_t total) {
        MetricSample& made = sample(own);
        made.count = all.known ? latencies.calls : total;
        made.sum = toSeconds(latencies.sum);
        made.buckets.reserve(LatencyDistribution::kBounds + 1);
        for (std::size_t i = 0; i < LatencyDistribution::kBounds; ++i) {
            made.buckets.push_back({toSeconds(LatencyDistribution::bound(i)), latencies.atMost[i]});
        }
        made.buckets.push_back({std::numeric_limits<double>::infinity(), made.count});
    }

private:
    MetricSample& sample(std::initializer_list<MetricLabel> own) {
        MetricSample made;
        made.labels = common_;
        // After the name, before the breaker's tags.
        made.labels.insert(made.labels.begin() + 1, own);
        return family_.samples.emplace_back(std::move(made));
    }

    MetricFamily& family_;
    const std::vector<MetricLabel>& common_;
};

/// A metric that every breaker has.
struct MetricSpec {
    std::string_view name;  ///< Without the prefix.
    MetricType type;
    std::string_view help;
    void (*write)(const CircuitBreakerStats& stats, MetricWriter& to);
};

}  // namespace fusebox::detail
