// SPDX-License-Identifier: MIT
// The metrics that resilience4j has (its Micrometer binding, as Prometheus spells it), with its
// names, labels and units, so that dashboards made for it can be used as they are.
#pragma once

#include <array>
#include <optional>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/exposition/metric_families.hpp"
#include "fusebox/exposition/metric_table.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox::detail {

/// The one of resilience4j's six states that a breaker is in. Modes come before the cycle there.
[[nodiscard]] constexpr std::string_view resilience4jState(
    const CircuitBreakerStats& stats) noexcept {
    switch (stats.mode) {
        case ControlMode::ForcedOpen: return "forced_open";
        case ControlMode::ForcedClosed: return "disabled";
        case ControlMode::Shadow: return "metrics_only";
        case ControlMode::Automatic: break;
    }
    switch (stats.state) {
        case CircuitState::Closed: return "closed";
        case CircuitState::Open: return "open";
        case CircuitState::HalfOpen: return "half_open";
    }
    return "closed";
}

/// 0 to 100; -1 below the minimum of calls.
[[nodiscard]] constexpr double percentage(const std::optional<double>& rate) noexcept {
    return rate ? *rate * 100.0 : -1.0;
}

inline void writeStates(const CircuitBreakerStats& stats, MetricWriter& to) {
    constexpr std::array<std::string_view, 6> kStates{"closed",      "open",     "half_open",
                                                      "forced_open", "disabled", "metrics_only"};
    const std::string_view present = resilience4jState(stats);
    for (const std::string_view state : kStates) {
        to.add({{"state", std::string{state}}}, state == present ? 1.0 : 0.0);
    }
}

inline constexpr std::array kResilience4jMetrics{
    MetricSpec{"state", MetricType::Gauge, "1 for the state that the circuit breaker is in",
               writeStates},
    MetricSpec{
        "calls_seconds", MetricType::Histogram, "Calls that ended, by how long they took",
        [](const CircuitBreakerStats& stats, MetricWriter& to) {
            const LatenciesByOutcome& latencies = stats.latencies;
            to.add({{"kind", "successful"}}, latencies, latencies.successes, stats.totalSuccesses);
            to.add({{"kind", "failed"}}, latencies, latencies.failures,
                   stats.totalFailures + stats.totalTimeouts);
            to.add({{"kind", "ignored"}}, latencies, latencies.ignored, stats.totalIgnored);
        }},
    MetricSpec{"calls_seconds_max", MetricType::Gauge, "The longest that a call took",
               [](const CircuitBreakerStats& stats, MetricWriter& to) {
                   const LatenciesByOutcome& latencies = stats.latencies;
                   to.add({{"kind", "successful"}}, toSeconds(latencies.successes.max));
                   to.add({{"kind", "failed"}}, toSeconds(latencies.failures.max));
                   to.add({{"kind", "ignored"}}, toSeconds(latencies.ignored.max));
               }},
    MetricSpec{"not_permitted_calls_total", MetricType::Counter, "Calls that were rejected",
               [](const CircuitBreakerStats& stats, MetricWriter& to) {
                   to.add({{"kind", "not_permitted"}}, stats.totalRejected);
               }},
    // What resilience4j called the one before until its release 1.1, and its dashboard still does.
    MetricSpec{"calls_total", MetricType::Counter, "Calls that were rejected, by their former name",
               [](const CircuitBreakerStats& stats, MetricWriter& to) {
                   to.add({{"kind", "not_permitted"}}, stats.totalRejected);
               }},
    MetricSpec{"buffered_calls", MetricType::Gauge, "Calls in the window",
               [](const CircuitBreakerStats& stats, MetricWriter& to) {
                   to.add({{"kind", "successful"}}, stats.windowCalls - stats.windowFailures);
                   to.add({{"kind", "failed"}}, stats.windowFailures);
               }},
    MetricSpec{"max_buffered_calls", MetricType::Gauge,
               "Calls that the window can hold, if it is one of calls",
               [](const CircuitBreakerStats& stats, MetricWriter& to) {
                   if (stats.windowSize) to.add(*stats.windowSize);
               }},
    // The window does not know which of its slow calls failed.
    MetricSpec{"slow_calls", MetricType::Gauge, "Slow calls in the window",
               [](const CircuitBreakerStats& stats, MetricWriter& to) {
                   to.add({{"kind", "any"}}, stats.windowSlow);
               }},
    MetricSpec{"failure_rate", MetricType::Gauge,
               "Failures in the window in percent; -1 below the minimum of calls",
               [](const CircuitBreakerStats& stats, MetricWriter& to) {
                   to.add(percentage(stats.failureRate));
               }},
    MetricSpec{"slow_call_rate", MetricType::Gauge,
               "Slow calls in the window in percent; -1 below the minimum of calls",
               [](const CircuitBreakerStats& stats, MetricWriter& to) {
                   to.add(percentage(stats.slowCallRate));
               }},
};

}  // namespace fusebox::detail
