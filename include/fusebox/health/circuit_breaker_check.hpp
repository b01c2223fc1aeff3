// SPDX-License-Identifier: MIT
// A health check: breakers of a registry.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/health/health_check.hpp"
#include "fusebox/registry/circuit_breaker_registry.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox {

/// Degraded while any of the breakers is open and not merely a shadow; says which. Never unhealthy:
/// what an open breaker guards may be something that the service can do without. Not needed where
/// the manager itself knows the registry.
///
/// @param names which breakers; empty: all. One that does not exist (yet) is not open.
/// The registry must outlive the manager.
[[nodiscard]] inline HealthCheck createCircuitBreakerHealthCheck(
    const CircuitBreakerRegistry& registry, std::vector<std::string> names = {},
    std::string name = "circuit-breakers") {
    return createHealthCheck(name, [&registry, names = std::move(names)] {
        std::vector<std::shared_ptr<CircuitBreakerView>> views;
        if (names.empty()) views = registry.getAll();
        for (const std::string& one : names) {
            if (auto view = registry.view(one)) views.push_back(std::move(view));
        }
        std::string open;
        for (const auto& view : views) {
            if (!view->isOpen() || view->mode() == ControlMode::Shadow) continue;
            open.append(open.empty() ? "" : ", ").append(view->name());
        }
        if (!open.empty()) return HealthCheckResult::degraded("Open: " + open);
        return HealthCheckResult::healthy("None is open");
    });
}

}  // namespace fusebox
