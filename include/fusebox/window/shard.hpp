// SPDX-License-Identifier: MIT
// What the threads that share a cache line count on it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "fusebox/vocabulary/platform.hpp"
#include "fusebox/window/latency_buckets.hpp"

namespace fusebox::detail {

/// What a shard counts besides the recorded successes.
enum class Tally : std::size_t {
    OtherSuccesses,  ///< Successes that no window counts: stale ones, probes, slow ones.
    Rejected,
    ShadowRejected,
    Begun,       ///< Tracked calls.
    Ended,       ///< Tracked calls whose end stands nowhere else.
    ElapsedSum,  ///< Nanoseconds.
    Count_,
};

/// A line of counters.
template <class Platform>
struct alignas(kCacheLine) Shard {
    typename Platform::template Atomic<std::uint64_t> recorded{0};
    std::array<typename Platform::template Atomic<std::uint64_t>,
               static_cast<std::size_t>(Tally::Count_)>
        tallies{};
    LatencyRoom<Platform> latencies{};

    FUSEBOX_HOT void add(Tally tally, std::uint64_t amount) noexcept {
        // relaxed: totals order nothing.
        tallies[static_cast<std::size_t>(tally)].fetch_add(amount, std::memory_order_relaxed);
    }
};
static_assert(sizeof(Shard<StdPlatform>) == kCacheLine);

}  // namespace fusebox::detail
