// SPDX-License-Identifier: MIT
// What holds of every snapshot of a breaker at rest.
#pragma once

#include <cstdint>
#include <optional>

#include "fusebox/breaker/stats.hpp"
#include "support/catch.hpp"

namespace fusebox::test {

/// Every call in exactly one total, and no figure that contradicts another.
inline void checkConservation(const CircuitBreakerStats& stats) {
    CHECK(stats.totalCalls == stats.totalSuccesses + stats.totalFailures + stats.totalTimeouts +
                                  stats.totalIgnored + stats.totalCancelled);
    CHECK(stats.totalStale <= stats.totalCalls);
    CHECK(stats.totalSlow <= stats.totalCalls);
    CHECK(stats.latencies.successes.calls <= stats.totalSuccesses);
    CHECK(stats.latencies.failures.calls <= stats.totalFailures + stats.totalTimeouts);
    CHECK(stats.latencies.ignored.calls <= stats.totalIgnored);
    CHECK(stats.windowFailures <= stats.windowCalls);
    CHECK(stats.windowSlow <= stats.windowCalls);
    CHECK(stats.timesClosed <= stats.timesOpened);
    CHECK(stats.timeOpen.count() >= 0);
    CHECK(stats.probesInFlight >= 0);
    CHECK(stats.lastError.size() <= 127);
    CHECK(stats.retryAfter.has_value() == (stats.state == CircuitState::Open));
    CHECK(stats.lastTrip.has_value() == stats.lastOpened.has_value());
    CHECK(stats.failureRate.value_or(0.0) <= 1.0);
    CHECK(stats.slowCallRate.value_or(0.0) <= 1.0);
    CHECK(stats.latency.p50 <= stats.latency.p90);
    CHECK(stats.latency.p90 <= stats.latency.p99);
    CHECK(stats.latency.p99 <= stats.latency.max);
    CHECK(stats.averageResponseTime.value_or(std::chrono::nanoseconds{0}) <= stats.latency.max);
}

}  // namespace fusebox::test
