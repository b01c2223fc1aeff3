// SPDX-License-Identifier: MIT
// Readings of a clock that threads hand over to each other.
#pragma once

#include <atomic>
#include <cstdint>

#include "stress/load.hpp"

namespace fusebox::test {

/// What came of the readings that a thread took when it had just learned of another's.
struct HandOvers {
    std::uint64_t made = 0;
    std::uint64_t wentBack = 0;
};

/// Each of the threads, again and again, takes over the last reading, takes its own, and hands that
/// on.
template <class Read>
[[nodiscard]] HandOvers handOver(int threads, std::uint64_t readings, Read read) {
    alignas(64) std::atomic<std::int64_t> last{read()};
    Count made;
    Count wentBack;
    onThreads(threads, [&](int) {
        HandOvers own;
        std::int64_t mine = 0;
        for (std::uint64_t i = 0; i < readings; ++i) {
            const std::int64_t others = last.load(std::memory_order_acquire);
            const std::int64_t now = read();
            if (others != mine) ++own.made;
            if (now < others || now < mine) ++own.wentBack;
            mine = now;
            last.store(now, std::memory_order_release);
        }
        made.add(own.made);
        wentBack.add(own.wentBack);
    });
    return {made.get(), wentBack.get()};
}

}  // namespace fusebox::test
