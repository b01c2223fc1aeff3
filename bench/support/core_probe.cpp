// SPDX-License-Identifier: MIT
#include "support/core_probe.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace bench {
namespace {

/// Kept in a register, and from being summed up when compiled.
inline void increment(std::uint64_t& value) {
    ++value;
    asm volatile("" : "+r"(value));
}

}  // namespace

// Here, so that there is one of it: where a loop stands in memory changes what it takes.
std::chrono::nanoseconds probeCore() {
    constexpr int kRounds = 20'000;
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::uint64_t c = 0;
    std::uint64_t d = 0;
    const auto start = std::chrono::steady_clock::now();
    for (int round = 0; round < kRounds; ++round) {
        increment(a);
        increment(b);
        increment(c);
        increment(d);
        increment(a);
        increment(b);
        increment(c);
        increment(d);
    }
    return std::chrono::steady_clock::now() - start;
}

std::chrono::nanoseconds awaitOwnCore() {
    constexpr int kProbes = 40;
    constexpr double kAlone = 1.05;
    // relaxed: any thread's fastest will do.
    static std::atomic<std::int64_t> fastest{INT64_MAX};
    std::chrono::nanoseconds probed{0};
    for (int i = 0; i < kProbes; ++i) {
        probed = probeCore();
        const std::int64_t best =
            std::min<std::int64_t>(probed.count(), fastest.load(std::memory_order_relaxed));
        fastest.store(best, std::memory_order_relaxed);
        if (static_cast<double>(probed.count()) <= kAlone * static_cast<double>(best)) break;
    }
    return probed;
}

}  // namespace bench
