// SPDX-License-Identifier: MIT
// HealthReport: what a HealthCheckManager found, as plain values.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/health/health_status.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox {

/// What became of one check.
struct CheckReport {
    std::string name{};
    HealthStatus status = HealthStatus::Healthy;
    std::string message{};  ///< At most 1024 bytes.
    bool critical = false;
    /// It took longer than it may, or still runs: then `status` is Unhealthy.
    bool timedOut = false;
    std::chrono::nanoseconds responseTime{0};      ///< Of the run; while it runs: until now.
    std::chrono::system_clock::time_point time{};  ///< When the run ended; while it runs: now.
};

struct HealthReport {
    HealthStatus status = HealthStatus::Healthy;
    std::string service{};
    std::string version{};
    std::chrono::system_clock::time_point time{};
    std::vector<CheckReport> checks{};                   ///< As they were registered.
    std::vector<CircuitBreakerStats> circuitBreakers{};  ///< Sorted by name.

    /// Whether the service shall get traffic: it is not unhealthy.
    [[nodiscard]] bool ready() const noexcept { return status != HealthStatus::Unhealthy; }
    /// What an HTTP response says: 200 if ready, else 503.
    [[nodiscard]] int httpStatus() const noexcept { return ready() ? 200 : 503; }
};

/// Whether a breaker keeps calls away: it is open, by itself or by force, and not merely a shadow.
[[nodiscard]] inline bool degrades(const CircuitBreakerStats& breaker) noexcept {
    return breaker.state == CircuitState::Open && breaker.mode != ControlMode::Shadow;
}

/// Unhealthy if a critical check is; else Degraded if any check is not healthy, or any breaker
/// keeps calls away.
[[nodiscard]] inline HealthStatus overallStatus(const HealthReport& report) noexcept {
    const auto& checks = report.checks;
    const auto failed = [](const CheckReport& check) {
        return check.critical && check.status == HealthStatus::Unhealthy;
    };
    const auto ails = [](const CheckReport& check) {
        return check.status != HealthStatus::Healthy;
    };
    if (std::ranges::any_of(checks, failed)) return HealthStatus::Unhealthy;
    const bool degraded =
        std::ranges::any_of(checks, ails) || std::ranges::any_of(report.circuitBreakers, degrades);
    return degraded ? HealthStatus::Degraded : HealthStatus::Healthy;
}

}  // namespace fusebox
