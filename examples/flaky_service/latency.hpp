// SPDX-License-Identifier: MIT
// Latencies in order, and durations in words.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "load.hpp"

namespace flaky {

class Latencies {
public:
    explicit Latencies(const std::vector<Sample>& samples) {
        for (const Sample& sample : samples) sorted_.push_back(sample.latency);
        std::ranges::sort(sorted_);
    }

    /// The smallest latency that so many percent of the calls did not exceed; 0 without calls.
    [[nodiscard]] nanoseconds percentile(double percent) const {
        if (sorted_.empty()) return 0ns;
        const double rank = std::ceil(percent / 100 * static_cast<double>(sorted_.size()));
        return sorted_[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
    }

    [[nodiscard]] nanoseconds longest() const { return percentile(100); }

    [[nodiscard]] nanoseconds sum() const {
        return std::accumulate(sorted_.begin(), sorted_.end(), nanoseconds{0});
    }

private:
    std::vector<nanoseconds> sorted_;
};

/// In a unit that suits it: "12.3 s", "4.5 ms", "0.7 us".
[[nodiscard]] inline std::string inWords(nanoseconds time) {
    const auto amount = static_cast<double>(time.count());
    if (time >= 1s) return fmt::format("{:.1f} s", amount / 1e9);
    if (time >= 1ms) return fmt::format("{:.1f} ms", amount / 1e6);
    return fmt::format("{:.1f} us", amount / 1e3);
}

/// "n/a" where there is none.
[[nodiscard]] inline std::string wordsFor(std::optional<nanoseconds> time) {
    return time ? inWords(*time) : "n/a";
}

}  // namespace flaky
