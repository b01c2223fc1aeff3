// SPDX-License-Identifier: MIT
// How many calls took at most how long: what histograms of metrics are made of.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace fusebox {

/// The measured calls that ended in one way, by how long they took.
struct LatencyDistribution {
    static constexpr std::size_t kBounds = 23;

    /// The longest latency that `atMost[i]` counts: from 16.4 us to 68.7 s, each twice the one
    /// before. They are powers of two less one nanosecond: there end buckets of the scale in which
    /// latencies are counted, so the counts are exact.
    [[nodiscard]] static constexpr std::chrono::nanoseconds bound(std::size_t i) noexcept {
        constexpr std::size_t kFirst = 14;
        return std::chrono::nanoseconds{(std::int64_t{1} << (kFirst + i)) - 1};
    }

    std::array<std::uint64_t, kBounds> atMost{};  ///< Each counts what those before it count, too.
    std::uint64_t calls = 0;
    std::chrono::nanoseconds sum{0};
    std::chrono::nanoseconds max{0};

    friend bool operator==(const LatencyDistribution&, const LatencyDistribution&) = default;
};

/// The latencies of a breaker's calls by how they ended: since its statistics were first taken,
/// because nothing is kept for who never asks. Since a `reset()`, since then. `successes.max` may
/// be that of an earlier call, however it ended.
struct LatenciesByOutcome {
    bool known = false;  ///< Whether calls are measured, and told apart.
    LatencyDistribution successes{};
    LatencyDistribution failures{};  ///< Timeouts, too.
    LatencyDistribution ignored{};

    friend bool operator==(const LatenciesByOutcome&, const LatenciesByOutcome&) = default;
};

}  // namespace fusebox
