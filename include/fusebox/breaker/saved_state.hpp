// SPDX-License-Identifier: MIT
// What of a breaker outlives the process.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox::detail {

/// A breaker as it stood at `savedAt`. Instants of its own clock mean nothing to another process,
/// so waits are durations and times are the system clock's.
struct SavedState {
    std::string name{};
    CircuitState state = CircuitState::Closed;  ///< Of the cycle, below any mode.
    ControlMode mode = ControlMode::Automatic;
    std::chrono::system_clock::time_point savedAt{};
    /// Open only: the rest of the wait at `savedAt`, at least 0; `kForever`: it never ends.
    std::chrono::nanoseconds remainingWait{0};
    std::uint64_t reopenings = 0;      ///< Since the last close: the backoff.
    std::uint64_t probeSuccesses = 0;  ///< HalfOpen only.

    std::string lastError{};  ///< At most 127 bytes.
    std::optional<std::chrono::system_clock::time_point> lastFailureTime{};
    std::optional<std::chrono::system_clock::time_point> lastClosed{};
    std::optional<TripRecord> lastTrip{};  ///< All but its summary, which follows from the rest.

    // The sum of the first five, the calls that ended, is at most 2^64 - 1.
    std::uint64_t totalSuccesses = 0;
    std::uint64_t totalFailures = 0;
    std::uint64_t totalTimeouts = 0;
    std::uint64_t totalIgnored = 0;
    std::uint64_t totalCancelled = 0;
    std::uint64_t totalRejected = 0;
    std::uint64_t totalShadowRejected = 0;
    std::uint64_t totalStale = 0;
    std::uint64_t totalSlow = 0;
    std::uint64_t timesOpened = 0;  ///< At least 1 unless `state` is Closed.
    std::uint64_t timesClosed = 0;
    std::uint64_t timesReconfigured = 0;
    std::uint64_t listenerErrors = 0;
    std::chrono::nanoseconds timeOpen{0};  ///< At least 0.
};

// Templates, here as in saved_state_text.hpp, so that only those compile them who save a breaker.

/// Takes over what the statistics know of it.
template <std::same_as<CircuitBreakerStats> Stats>
void fillFrom(Stats&& stats, SavedState& saved) {
    saved.lastError = std::move(stats.lastError);
    saved.lastFailureTime = stats.lastFailureTime;
    saved.lastClosed = stats.lastClosed;
    saved.lastTrip = std::move(stats.lastTrip);
    saved.totalSuccesses = stats.totalSuccesses;
    saved.totalFailures = stats.totalFailures;
    saved.totalTimeouts = stats.totalTimeouts;
    saved.totalIgnored = stats.totalIgnored;
    saved.totalCancelled = stats.totalCancelled;
    saved.totalRejected = stats.totalRejected;
    saved.totalShadowRejected = stats.totalShadowRejected;
    saved.totalStale = stats.totalStale;
    saved.totalSlow = stats.totalSlow;
    saved.timesOpened = stats.timesOpened;
    saved.timesClosed = stats.timesClosed;
    saved.timesReconfigured = stats.timesReconfigured;
    saved.timeOpen = stats.timeOpen;
}

}  // namespace fusebox::detail
