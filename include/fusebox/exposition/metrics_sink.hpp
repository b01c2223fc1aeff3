// SPDX-License-Identifier: MIT
// The concept MetricsSink: who takes snapshots of breakers to where they are looked at.
#pragma once

#include <chrono>
#include <concepts>
#include <vector>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/registry/circuit_breaker_registry.hpp"

namespace fusebox {

/// Every breaker of a registry at one instant.
struct MetricsSnapshot {
    std::chrono::system_clock::time_point time{};
    std::vector<CircuitBreakerStats> breakers{};  ///< Sorted by name.
};

/// Takes snapshots, one at a time; may throw. See docs/concepts/metrics_sink.md.
template <class S>
concept MetricsSink = std::movable<S> && requires(S& sink, const MetricsSnapshot& snapshot) {
    { sink.publish(snapshot) } -> std::same_as<void>;
};

/// The breakers of a registry as they are now. They are read one after the other: no breaker waits
/// for another.
[[nodiscard]] inline MetricsSnapshot metricsSnapshot(const CircuitBreakerRegistry& registry) {
    return {std::chrono::system_clock::now(), registry.getAllStats()};
}

}  // namespace fusebox
