// SPDX-License-Identifier: MIT
// How many calls took how long, as a value.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "fusebox/window/latency_scale.hpp"

namespace fusebox {

/// Latencies of the calls that were measured; all zero when there were none.
struct LatencySummary {
    std::chrono::nanoseconds p50{0};
    std::chrono::nanoseconds p90{0};
    std::chrono::nanoseconds p99{0};
    std::chrono::nanoseconds max{0};

    friend bool operator==(const LatencySummary&, const LatencySummary&) = default;
};

namespace detail {

/// How many calls took how long.
struct LatencyCounts {
    std::array<std::uint64_t, LatencyScale::kBuckets> buckets{};
    std::uint64_t calls = 0;
    std::uint64_t longest = 0;  ///< Nanoseconds.

    LatencyCounts& operator+=(const LatencyCounts& other) noexcept {
        for (std::size_t b = 0; b < buckets.size(); ++b) buckets[b] += other.buckets[b];
        calls += other.calls;
        longest = std::max(longest, other.longest);
        return *this;
    }

    [[nodiscard]] LatencySummary summary() const noexcept {
        const std::chrono::nanoseconds max{longest};
        const auto at = [&](double quantile) { return std::min(valueAt(quantile), max); };
        return {at(0.50), at(0.90), at(0.99), max};
    }

private:
    /// Nearest rank: the smallest value with at least that share of the calls at or below it.
    [[nodiscard]] std::chrono::nanoseconds valueAt(double quantile) const noexcept {
        auto left = static_cast<std::int64_t>(std::ceil(quantile * static_cast<double>(calls)));
        std::size_t bucket = 0;
        for (const std::uint64_t count : buckets) {
            left -= static_cast<std::int64_t>(count);
            if (left <= 0) break;
            ++bucket;
        }
        return LatencyScale::middle(bucket);
    }
};

}  // namespace detail
}  // namespace fusebox
