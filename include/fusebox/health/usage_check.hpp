// SPDX-License-Identifier: MIT
// What checks of memory and of disks have in common: a share that must not be reached.
#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include "fusebox/health/health_probe.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/text.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox::detail {

/// @throws ConfigError unless it is above 0 and at most 100.
inline void requirePercent(double maxUsedPercent) {
    if (maxUsedPercent > 0.0 && maxUsedPercent <= 100.0) return;  // false for NaN
    raise(ConfigError{
        complain("maxUsedPercent", toText(maxUsedPercent), "a number above 0 and at most 100")});
}

/// "Memory usage at 45.23 %"; unhealthy from `maxUsedPercent` on.
[[nodiscard]] inline HealthCheckResult judgeUsage(std::string_view what, double used, double total,
                                                  double maxUsedPercent) {
    const double percent = total > 0.0 ? used / total * 100.0 : 100.0;
    std::string message{what};
    message.append(" usage at ").append(toText(std::round(percent * 100.0) / 100.0)) += " %";
    if (percent < maxUsedPercent) return HealthCheckResult::healthy(std::move(message));
    message.append("; allowed: below ").append(toText(maxUsedPercent)) += " %";
    return HealthCheckResult::unhealthy(std::move(message));
}

}  // namespace fusebox::detail
