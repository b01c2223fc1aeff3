// SPDX-License-Identifier: MIT
// A health check: memory.
#pragma once

#include "fusebox/health/health_check.hpp"
#include "fusebox/health/memory_usage.hpp"
#include "fusebox/health/usage_check.hpp"

namespace fusebox {

/// Unhealthy from that share of the memory on, of the container's where it has a limit, else of the
/// machine's; degraded where the system does not tell. Not critical.
/// @throws ConfigError unless `maxUsedPercent` is above 0 and at most 100.
[[nodiscard]] inline HealthCheck createMemoryHealthCheck(double maxUsedPercent = 90.0) {
    detail::requirePercent(maxUsedPercent);
    return createHealthCheck("memory-usage", [maxUsedPercent] {
        const auto usage = memoryUsage();
        if (!usage) return HealthCheckResult::degraded("Memory usage is not known on this system");
        return detail::judgeUsage("Memory", static_cast<double>(usage->used),
                                  static_cast<double>(usage->limit), maxUsedPercent);
    });
}

}  // namespace fusebox
