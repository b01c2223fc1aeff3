// SPDX-License-Identifier: MIT
// The metrics that resilience4j has no name for.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/exposition/metric_families.hpp"
#include "fusebox/exposition/metric_table.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox::detail {

inline void writeTransitions(const CircuitBreakerStats& stats, MetricWriter& to) {
    const TransitionCounts& counts = stats.transitions;
    to.add({{"from", "closed"}, {"to", "open"}}, counts.closedToOpen);
    to.add({{"from", "open"}, {"to", "half_open"}}, counts.openToHalfOpen);
    to.add({{"from", "half_open"}, {"to", "open"}}, counts.halfOpenToOpen);
    to.add({{"from", "half_open"}, {"to", "closed"}}, counts.halfOpenToClosed);
    to.add({{"from", "open"}, {"to", "closed"}}, counts.openToClosed);
}

/// All since the breaker was made, whether they were measured or not.
inline void writeOutcomes(const CircuitBreakerStats& stats, MetricWriter& to) {
    to.add({{"outcome", "success"}}, stats.totalSuccesses);
    to.add({{"outcome", "failure"}}, stats.totalFailures);
    to.add({{"outcome", "timeout"}}, stats.totalTimeouts);
    to.add({{"outcome", "ignored"}}, stats.totalIgnored);
    to.add({{"outcome", "cancelled"}}, stats.totalCancelled);
}

inline void writeModes(const CircuitBreakerStats& stats, MetricWriter& to) {
    const auto one = [&](std::string_view word, ControlMode mode) {
        to.add({{"mode", std::string{word}}}, stats.mode == mode ? 1.0 : 0.0);
    };
    one("automatic", ControlMode::Automatic);
    one("forced_open", ControlMode::ForcedOpen);
    one("forced_closed", ControlMode::ForcedClosed);
    one("shadow", ControlMode::Shadow);
}

/// What a caller would meet, whatever the mode is: in Shadow, the cycle.
inline void writeCycle(const CircuitBreakerStats& stats, MetricWriter& to) {
    const auto one = [&](std::string_view word, CircuitState state) {
        to.add({{"state", std::string{word}}}, stats.state == state ? 1.0 : 0.0);
    };
    one("closed", CircuitState::Closed);
    one("open", CircuitState::Open);
    one("half_open", CircuitState::HalfOpen);
}

inline void writeTime(const std::optional<std::chrono::system_clock::time_point>& time,
                      MetricWriter& to) {
    if (time) to.add(std::chrono::duration<double>{time->time_since_epoch()}.count());
}

/// A metric that is one number of the statistics.
template <auto Field>
constexpr void writeField(const CircuitBreakerStats& stats, MetricWriter& to) {
    to.add(static_cast<double>(stats.*Field));
}

using Stats = CircuitBreakerStats;

inline constexpr std::array kOwnMetrics{
    MetricSpec{"state", MetricType::Gauge, "1 for the state that a caller meets", writeCycle},
    MetricSpec{"mode", MetricType::Gauge, "1 for the mode that is laid over the cycle", writeModes},
    MetricSpec{"transitions_total", MetricType::Counter, "Changes of the state", writeTransitions},
    MetricSpec{"open_seconds_total", MetricType::Counter, "How long the circuit breaker was open",
               [](const Stats& stats, MetricWriter& to) { to.add(toSeconds(stats.timeOpen)); }},
    MetricSpec{"retry_after_seconds", MetricType::Gauge,
               "What is left of the wait of an open circuit breaker; 0 for any other",
               [](const Stats& stats, MetricWriter& to) {
                   to.add(toSeconds(stats.retryAfter.value_or(std::chrono::nanoseconds{0})));
               }},
    MetricSpec{"calls_total", MetricType::Counter, "Calls that ended, by how", writeOutcomes},
    MetricSpec{"slow_calls_total", MetricType::Counter, "Calls that were slow",
               writeField<&Stats::totalSlow>},
    MetricSpec{"stale_calls_total", MetricType::Counter,
               "Calls that ended after the epoch they were admitted in",
               writeField<&Stats::totalStale>},
    MetricSpec{"shadow_rejected_calls_total", MetricType::Counter,
               "Calls that were admitted in shadow mode and would have been rejected",
               writeField<&Stats::totalShadowRejected>},
    MetricSpec{"listener_errors_total", MetricType::Counter, "Exceptions thrown by listeners",
               writeField<&Stats::listenerErrors>},
    MetricSpec{"reconfigurations_total", MetricType::Counter, "Changes of policy or options",
               writeField<&Stats::timesReconfigured>},
    MetricSpec{"probes_in_flight", MetricType::Gauge, "Probes of a half-open circuit breaker",
               writeField<&Stats::probesInFlight>},
    MetricSpec{"in_flight", MetricType::Gauge, "Calls in flight, where they are tracked",
               [](const Stats& stats, MetricWriter& to) {
                   if (stats.inFlight) to.add(*stats.inFlight);
               }},
    MetricSpec{"consecutive_failures", MetricType::Gauge, "Failures in a row",
               writeField<&Stats::consecutiveFailures>},
    MetricSpec{"policy_score", MetricType::Gauge,
               "The score of a policy that keeps one, as a share of the score that trips",
               [](const Stats& stats, MetricWriter& to) {
                   if (stats.policyScore) to.add(*stats.policyScore);
               }},
    MetricSpec{"last_opened_timestamp_seconds", MetricType::Gauge,
               "When the circuit breaker last opened, in seconds since 1970",
               [](const Stats& stats, MetricWriter& to) { writeTime(stats.lastOpened, to); }},
    MetricSpec{"last_failure_timestamp_seconds", MetricType::Gauge,
               "When a call last failed, in seconds since 1970",
               [](const Stats& stats, MetricWriter& to) { writeTime(stats.lastFailureTime, to); }},
};

}  // namespace fusebox::detail
