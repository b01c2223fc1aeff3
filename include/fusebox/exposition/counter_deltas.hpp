// SPDX-License-Identifier: MIT
// What has been counted since the snapshot before: for systems that add up themselves.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fusebox/breaker/stats.hpp"

namespace fusebox {

/// Remembers the totals of breakers, by name.
class CounterDeltas {
public:
    struct Counts {
        std::uint64_t calls = 0;
        std::uint64_t successes = 0;
        std::uint64_t failures = 0;
        std::uint64_t timeouts = 0;
        std::uint64_t ignored = 0;
        std::uint64_t rejected = 0;
        std::uint64_t opened = 0;
    };

    /// What has been counted since the totals that were taken last. Everything, for a breaker that
    /// is new, and for a total that has gone back: the breaker was reset, or is another one.
    [[nodiscard]] Counts since(const CircuitBreakerStats& stats) const {
        const auto known = last_.find(stats.name);
        const Counts now = of(stats);
        if (known == last_.end()) return now;
        const Counts& then = known->second;
        const auto step = [](std::uint64_t total, std::uint64_t before) {
            return total < before ? total : total - before;
        };
        return {step(now.calls, then.calls),       step(now.successes, then.successes),
                step(now.failures, then.failures), step(now.timeouts, then.timeouts),
                step(now.ignored, then.ignored),   step(now.rejected, then.rejected),
                step(now.opened, then.opened)};
    }

    /// These totals have arrived; others, of breakers that are gone, are forgotten.
    void taken(const std::vector<CircuitBreakerStats>& all) {
        std::map<std::string, Counts> present;
        for (const CircuitBreakerStats& stats : all) present.emplace(stats.name, of(stats));
        last_.swap(present);
    }

private:
    [[nodiscard]] static Counts of(const CircuitBreakerStats& stats) noexcept {
        return {stats.totalCalls,   stats.totalSuccesses, stats.totalFailures, stats.totalTimeouts,
                stats.totalIgnored, stats.totalRejected,  stats.timesOpened};
    }

    std::map<std::string, Counts> last_;
};

}  // namespace fusebox
