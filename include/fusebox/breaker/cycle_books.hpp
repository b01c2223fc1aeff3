// SPDX-License-Identifier: MIT
// What the cycle remembers, and how that reads in the statistics.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>

#include "fusebox/breaker/evidence.hpp"
#include "fusebox/breaker/opening_history.hpp"
#include "fusebox/breaker/saved_state.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/breaker/stats.hpp"
#include "fusebox/breaker/transition_counts.hpp"
#include "fusebox/vocabulary/duration.hpp"

namespace fusebox::detail {

/// The memory of a cycle, apart from its closed period. A plain value.
struct CycleBooks {
    OpeningHistory history{};
    /// What the last opening from Closed rested on, and what the probes since then added.
    Evidence evidence{};
    std::uint64_t reopenings = 0;  ///< Since the last close.
    int probeSuccesses = 0;        ///< Since the last entry into HalfOpen.
    std::uint32_t openToClosed = 0;
};

/// A cycle at one instant: copied under the breaker's mutex, read without it.
struct CycleSnapshot {
    StateWord word{};
    CycleBooks books{};
    std::uint64_t consecutiveSuccesses = 0;  ///< Of a closed breaker.
    std::optional<double> policyScore{};     ///< Of a closed breaker.
    std::uint64_t windowSize = 0;            ///< 0: not one of calls.
    std::chrono::nanoseconds openSoFar{0};   ///< The part of the present opening that is over.
    std::chrono::nanoseconds openFor{0};     ///< The part that is left.

    /// All but names, the reading of the state, and the totals that are there already.
    template <std::same_as<CircuitBreakerStats> Stats>
    void fill(Stats& stats) const {
        books.history.fill(stats);
        stats.totalCalls = stats.totalSuccesses + stats.totalFailures + stats.totalTimeouts +
                           stats.totalIgnored + stats.totalCancelled;
        stats.timeOpen = saturatingAdd(stats.timeOpen, openSoFar);
        const Evidence& known = books.evidence;
        stats.windowCalls = known.window.calls;
        stats.windowFailures = known.window.failures;
        stats.windowSlow = known.window.slow;
        stats.failureRate = known.window.failureRate(known.minimumCalls);
        stats.slowCallRate = known.window.slowCallRate(known.minimumCalls);
        stats.consecutiveFailures = known.consecutiveFailures;
        stats.consecutiveSuccesses = word.state() == CircuitState::HalfOpen
                                         ? static_cast<std::uint64_t>(books.probeSuccesses)
                                         : consecutiveSuccesses;
        stats.transitions =
            transitionsOf(word.state(), stats.timesOpened, stats.timesClosed, books.openToClosed);
        stats.policyScore = policyScore;
        if (windowSize > 0) stats.windowSize = windowSize;
        stats.probesInFlight = word.probes();
        stats.mode = word.mode();
    }

    /// Whatever the statistics do not say.
    template <std::same_as<SavedState> Saved>
    void fill(Saved& saved) const {
        saved.state = word.state();
        saved.mode = word.mode();
        saved.remainingWait = openFor;
        saved.reopenings = books.reopenings;
        if (word.state() == CircuitState::HalfOpen) {
            saved.probeSuccesses = static_cast<std::uint64_t>(books.probeSuccesses);
        }
    }
};

}  // namespace fusebox::detail
