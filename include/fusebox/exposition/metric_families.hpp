// SPDX-License-Identifier: MIT
// Metrics as plain values, as Prometheus understands them, whoever writes them out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fusebox {

enum class MetricType : std::uint8_t { Counter, Gauge, Histogram };

/// "counter", "gauge" or "histogram".
[[nodiscard]] constexpr std::string_view toString(MetricType type) noexcept {
    switch (type) {
        case MetricType::Counter: return "counter";
        case MetricType::Gauge: return "gauge";
        case MetricType::Histogram: return "histogram";
    }
    return "untyped";
}

/// A label's name and value, the value in UTF-8.
struct MetricLabel {
    std::string name{};
    std::string value{};

    friend bool operator==(const MetricLabel&, const MetricLabel&) = default;
};

/// How many calls took at most so many seconds.
struct MetricBucket {
    double upperBound = 0.0;
    std::uint64_t cumulativeCount = 0;
};

/// One time series at one instant.
struct MetricSample {
    std::vector<MetricLabel> labels{};
    double value = 0.0;  ///< Of a counter or gauge.
    // Of a histogram; the last bucket is infinite, and counts as many as `count`.
    std::vector<MetricBucket> buckets{};
    std::uint64_t count = 0;
    double sum = 0.0;  ///< Seconds.
};

/// All time series of one name.
struct MetricFamily {
    std::string name{};
    std::string help{};  ///< Without backslashes and line feeds.
    MetricType type = MetricType::Gauge;
    std::vector<MetricSample> samples{};
};

}  // namespace fusebox
