// SPDX-License-Identifier: MIT
// What a breaker knows about itself, as plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fusebox/breaker/past_calls.hpp"
#include "fusebox/breaker/transition_counts.hpp"
#include "fusebox/vocabulary/call_counts.hpp"
#include "fusebox/vocabulary/state.hpp"
#include "fusebox/vocabulary/tags.hpp"
#include "fusebox/window/latency_counts.hpp"
#include "fusebox/window/latency_distribution.hpp"

namespace fusebox {

/// What caused an opening: latched when it happened, readable until the next one or `reset()`.
struct TripRecord {
    TransitionReason reason = TransitionReason::PolicyTripped;
    std::chrono::system_clock::time_point time{};
    /// The window as it stood; for a failed or lost probe: as it stood when the circuit first
    /// opened.
    std::uint64_t windowCalls = 0;
    std::uint64_t windowFailures = 0;
    std::uint64_t windowSlow = 0;
    std::optional<double> failureRate{};
    std::optional<double> slowCallRate{};
    std::uint64_t consecutiveFailures = 0;
    /// How long the breaker rejects, jitter and backoff included.
    std::chrono::nanoseconds wait{0};
    std::string policy{};
    std::string lastError{};
    /// The last calls before the opening, at most 32, oldest first; for a failed probe, after those
    /// that first opened the circuit, the probes.
    std::vector<PastCall> lastOutcomes{};
    /// All of it in one sentence.
    std::string summary{};
};

/// A snapshot of one breaker. Totals only grow, except by `reset()`; at rest
/// totalCalls = totalSuccesses + totalFailures + totalTimeouts + totalIgnored + totalCancelled.
struct CircuitBreakerStats {
    std::string name{};
    std::string policy{};   ///< In words.
    std::string options{};  ///< In words.
    Tags tags{};            ///< Those of the options.
    CircuitState state = CircuitState::Closed;
    ControlMode mode = ControlMode::Automatic;

    std::uint64_t totalCalls = 0;  ///< Admitted and ended.
    std::uint64_t totalSuccesses = 0;
    std::uint64_t totalFailures = 0;
    std::uint64_t totalTimeouts = 0;
    std::uint64_t totalIgnored = 0;
    std::uint64_t totalCancelled = 0;
    std::uint64_t totalRejected = 0;
    std::uint64_t totalShadowRejected = 0;  ///< Admitted in Shadow, rejected otherwise.
    std::uint64_t totalStale = 0;           ///< Of the calls: ended after their epoch.
    std::uint64_t totalSlow = 0;  ///< Of the calls: took at least the policy's `slowerThan`.
    std::uint64_t timesOpened = 0;
    std::uint64_t timesClosed = 0;
    std::uint64_t timesReconfigured = 0;
    std::uint64_t listenerErrors = 0;  ///< Exceptions thrown by listeners, contained.
    std::chrono::nanoseconds timeOpen{0};
    TransitionCounts transitions{};  ///< Of the cycle.

    int probesInFlight = 0;
    std::optional<std::uint64_t> inFlight{};  ///< With `trackInFlight` only.

    /// The window that the policy decides on; for a policy without one, the calls since the entry
    /// into Closed. While open and half-open: as it stood at the trip.
    std::uint64_t windowCalls = 0;
    std::uint64_t windowFailures = 0;
    std::uint64_t windowSlow = 0;
    std::optional<double> failureRate{};   ///< 0..1; empty below the policy's `minimumCalls`.
    std::optional<double> slowCallRate{};  ///< 0..1; empty below the policy's `minimumCalls`.
    /// How many calls the policy's window can hold; empty unless it is one of calls.
    std::optional<std::uint64_t> windowSize{};
    /// Of a closed breaker whose policy keeps a score, such as Cusum: as a share of the score that
    /// trips.
    std::optional<double> policyScore{};
    std::uint64_t consecutiveFailures = 0;
    std::uint64_t consecutiveSuccesses = 0;

    /// Of the measured calls that succeeded, failed or timed out; empty without any. Right while
    /// these calls took less than 292 years together.
    std::optional<std::chrono::nanoseconds> averageResponseTime{};
    LatencySummary latency{};
    /// The same calls by how they ended, and the ignored ones, as histograms.
    LatenciesByOutcome latencies{};
    /// The rest of the wait; empty unless `state` is Open.
    std::optional<std::chrono::nanoseconds> retryAfter{};

    std::string lastError{};  ///< At most 127 bytes.
    /// To a timer tick; of failures within one it is the first.
    std::optional<std::chrono::system_clock::time_point> lastFailureTime{};
    std::optional<std::chrono::system_clock::time_point> lastOpened{};
    std::optional<std::chrono::system_clock::time_point> lastClosed{};
    std::optional<TripRecord> lastTrip{};
};

}  // namespace fusebox
