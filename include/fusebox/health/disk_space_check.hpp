// SPDX-License-Identifier: MIT
// A health check: space on a disk.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "fusebox/health/health_check.hpp"
#include "fusebox/health/usage_check.hpp"

namespace fusebox {

/// Unhealthy from that share of the file system of `path` on, counted as `df` does for one who is
/// not root, and if there is no such path. Not critical.
/// @throws ConfigError unless `maxUsedPercent` is above 0 and at most 100.
[[nodiscard]] inline HealthCheck createDiskSpaceHealthCheck(std::filesystem::path path = "/",
                                                            double maxUsedPercent = 90.0) {
    detail::requirePercent(maxUsedPercent);
    return createHealthCheck("disk-space", [path = std::move(path), maxUsedPercent] {
        std::error_code error;
        const auto space = std::filesystem::space(path, error);
        if (error) return HealthCheckResult::unhealthy("Disk: " + error.message());
        const auto used = static_cast<double>(space.capacity - space.free);
        return detail::judgeUsage("Disk", used, used + static_cast<double>(space.available),
                                  maxUsedPercent);
    });
}

}  // namespace fusebox
