// SPDX-License-Identifier: MIT
// A health check: environment variables that the service cannot do without.
#pragma once

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/health/health_check.hpp"

namespace fusebox {

/// Unhealthy unless each of the variables is set, and not empty; critical. Says the names that are
/// missing, never a value. As ever, nothing may change the environment while others read it.
[[nodiscard]] inline HealthCheck createEnvVarHealthCheck(std::vector<std::string> variables) {
    auto probe = [variables = std::move(variables)] {
        std::string missing;
        for (const std::string& variable : variables) {
            const char* const value = std::getenv(variable.c_str());
            if (value && *value != '\0') continue;
            missing.append(missing.empty() ? "" : ", ").append(variable);
        }
        if (!missing.empty()) return HealthCheckResult::unhealthy("Missing: " + missing);
        return HealthCheckResult::healthy("All required variables present");
    };
    return createHealthCheck("environment-variables", std::move(probe), true);
}

}  // namespace fusebox
