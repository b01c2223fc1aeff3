// SPDX-License-Identifier: MIT
// HealthStatus: how well something is.
#pragma once

#include <cstdint>
#include <string_view>

namespace fusebox {

/// From best to worst.
enum class HealthStatus : std::uint8_t {
    Healthy,
    Degraded,   ///< Works, but not with all that it should have.
    Unhealthy,  ///< Does not work.
};

/// "healthy", "degraded" or "unhealthy".
[[nodiscard]] constexpr std::string_view toString(HealthStatus status) noexcept {
    switch (status) {
        case HealthStatus::Healthy: return "healthy";
        case HealthStatus::Degraded: return "degraded";
        case HealthStatus::Unhealthy: return "unhealthy";
    }
    return "unknown";
}

}  // namespace fusebox
