// SPDX-License-Identifier: MIT
// What holds of every snapshot of a breaker at rest.
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/vocabulary/text.hpp"
#include "fuzz/targets.hpp"

namespace fusebox::test {

/// Every call in exactly one total, and no figure that contradicts another.
inline void demandInvariants(const CircuitBreakerStats& stats) {
    const auto isRate = [](std::optional<double> rate) {
        return !rate || (*rate >= 0.0 && *rate <= 1.0);
    };
    demand(stats.totalCalls == stats.totalSuccesses + stats.totalFailures + stats.totalTimeouts +
                                   stats.totalIgnored + stats.totalCancelled,
           "totalCalls is not the sum of its outcomes");
    demand(stats.latencies.successes.calls <= stats.totalSuccesses, "measured successes");
    demand(stats.latencies.ignored.calls <= stats.totalIgnored, "measured ignored calls");
    demand(stats.windowFailures <= stats.windowCalls, "windowFailures > windowCalls");
    demand(stats.windowSlow <= stats.windowCalls, "windowSlow > windowCalls");
    // An open breaker shows the window as it stood at the trip, perhaps under another policy.
    const bool closed =
        stats.state == CircuitState::Closed && stats.mode != ControlMode::ForcedClosed;
    demand(!closed || !stats.windowSize || stats.windowCalls <= *stats.windowSize,
           "windowCalls > windowSize");
    demand(stats.timeOpen.count() >= 0, "timeOpen is negative");
    demand(stats.probesInFlight >= 0 && stats.probesInFlight <= 255, "probesInFlight");
    demand(stats.lastError.size() <= 127, "lastError is too long");
    demand(stats.retryAfter.has_value() == (stats.state == CircuitState::Open),
           "retryAfter though not open, or none though open");
    demand(!stats.retryAfter || stats.retryAfter->count() >= 0, "retryAfter is negative");
    demand(isRate(stats.failureRate), "failureRate is no rate");
    demand(isRate(stats.slowCallRate), "slowCallRate is no rate");
    demand(!stats.policyScore || *stats.policyScore >= 0.0, "policyScore is negative or NaN");
    demand(stats.latency.p50 <= stats.latency.p90 && stats.latency.p90 <= stats.latency.p99 &&
               stats.latency.p99 <= stats.latency.max,
           "percentiles are not sorted");
    if (stats.averageResponseTime) {
        demand(
            stats.averageResponseTime->count() >= 0 &&
                *stats.averageResponseTime <= stats.latency.max,
            "the average is not between 0 and the longest",
            detail::toText(*stats.averageResponseTime) + ", " + detail::toText(stats.latency.max));
    }
    if (stats.lastTrip) {
        demand(stats.lastTrip->lastOutcomes.size() <= 32, "lastTrip has too many outcomes");
        demand(stats.lastTrip->wait.count() >= 0, "lastTrip.wait is negative");
        demand(!stats.lastTrip->summary.empty(), "lastTrip has no summary");
        demand(isRate(stats.lastTrip->failureRate), "lastTrip.failureRate is no rate");
        demand(isRate(stats.lastTrip->slowCallRate), "lastTrip.slowCallRate is no rate");
    }
}

}  // namespace fusebox::test
