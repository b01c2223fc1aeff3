// SPDX-License-Identifier: MIT
// HealthCheck: something to look at, and how.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "fusebox/health/health_probe.hpp"
#include "fusebox/vocabulary/text.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

/// One check of a HealthCheckManager.
struct HealthCheck {
    std::string name{};     ///< 1 to 128 bytes; not "circuitBreakers".
    HealthProbe check{};    ///< Fails by its result, or by what it throws.
    bool critical = false;  ///< Whether the service is unhealthy when this is; else it is degraded.
    /// How long a report waits for a run (> 0, at most an hour). Too low: a slow dependency reads
    /// as a dead one. Too high: whoever asks gives up first, and learns nothing.
    std::chrono::nanoseconds timeout = std::chrono::seconds{5};
    /// How long a result is used again (0 to a day). 0: each report runs the check.
    std::chrono::nanoseconds cacheTime = std::chrono::seconds{1};
};

/// What is wrong with a check: field, value and what is allowed; empty if nothing is.
[[nodiscard]] inline Complaint validate(const HealthCheck& check) {
    constexpr std::size_t kLongest = 128;
    constexpr std::chrono::hours kMostTimeout{1};
    constexpr std::chrono::hours kMostCacheTime{24};
    constexpr std::chrono::nanoseconds kZero{0};
    if (check.name.empty() || check.name.size() > kLongest) {
        return detail::complain("name", std::to_string(check.name.size()) + " bytes long",
                                "1 to 128 bytes");
    }
    if (check.name == "circuitBreakers") {
        return detail::complain("name", "\"circuitBreakers\"",
                                "any other, as reports have a section of that name");
    }
    if (!check.check) return detail::complain("check", "empty", "a function");
    if (check.timeout <= kZero || check.timeout > kMostTimeout) {
        return detail::complain("timeout", detail::toText(check.timeout),
                                "a duration above 0 and at most 1 h");
    }
    if (check.cacheTime < kZero || check.cacheTime > kMostCacheTime) {
        return detail::complain("cacheTime", detail::toText(check.cacheTime),
                                "a duration from 0 to 24 h");
    }
    return std::nullopt;
}

/// A check from its name and its function, with everything else as by default.
[[nodiscard]] inline HealthCheck createHealthCheck(std::string_view name, HealthProbe probe,
                                                   bool critical = false) {
    HealthCheck check;
    check.name = name;
    check.check = std::move(probe);
    check.critical = critical;
    return check;
}

}  // namespace fusebox
