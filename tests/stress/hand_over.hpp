// SPDX-License-Identifier: MIT
// Readings of a clock that threads hand over to each other.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "stress/load.hpp"

namespace fusebox::test {

/// What came of the readings that a thread took when it had just learned of another's.
struct HandOvers {
    std::uint64_t made = 0;
    std::uint64_t wentBack = 0;
};

/// Each of the threads, again and again, looks at the last reading of its neighbour, takes its own,
/// and leaves that for its other neighbour; until one of them has taken over `enough`, and at most
/// so many times.
template <class Read>
[[nodiscard]] HandOvers handOver(int threads, std::uint64_t enough, std::uint64_t most, Read read) {
    // A line each: a reading that comes from another core takes its time, and that is when a
    // reading of one's own might run ahead.
    struct alignas(64) Place {
        std::atomic<std::int64_t> reading{std::numeric_limits<std::int64_t>::min()};
    };
    std::vector<Place> places(static_cast<std::size_t>(threads));
    std::atomic<bool> done{false};
    Count made;
    Count wentBack;
    onThreads(threads, [&](int i) {
        const auto mine = static_cast<std::size_t>(i);
        const auto theirs = (mine + 1) % places.size();
        HandOvers own;
        std::int64_t last = read();
        std::int64_t lastTheirs = 0;
        for (std::uint64_t n = 0; n < most && !done.load(std::memory_order_relaxed); ++n) {
            const std::int64_t handed = places[theirs].reading.load(std::memory_order_acquire);
            const std::int64_t now = read();
            if (handed != std::exchange(lastTheirs, handed)) ++own.made;
            if (own.made >= enough) done.store(true, std::memory_order_relaxed);
            if (now < handed || now < last) ++own.wentBack;
            last = now;
            places[mine].reading.store(now, std::memory_order_release);
        }
        made.add(own.made);
        wentBack.add(own.wentBack);
    });
    return {made.get(), wentBack.get()};
}

}  // namespace fusebox::test
