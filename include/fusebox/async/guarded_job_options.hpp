// SPDX-License-Identifier: MIT
// When a guarded job runs, and how often it is retried.
#pragma once

#include <chrono>

#include "fusebox/async/paced_thread.hpp"
#include "fusebox/vocabulary/text.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

/// How a GuardedJob runs.
struct GuardedJobOptions {
    /// From the end of a run to the beginning of the next (> 0, at most 366 days).
    std::chrono::nanoseconds interval = std::chrono::minutes{1};
    /// 0..1: each wait is drawn from [wait x (1 - jitter), wait x (1 + jitter)], so that a fleet
    /// runs and retries out of step.
    double jitter = 0.1;
    /// Attempts after the first of a run that fails (0 to 1000). Each is a call to the breaker:
    /// more of them than its threshold, and one bad run opens it.
    int maxRetries = 3;
    /// The wait before the first retry (>= 0, at most 366 days).
    std::chrono::nanoseconds retryDelay = std::chrono::seconds{1};
    /// The factor on the wait for each further retry of the run (1 to 1000).
    double retryBackoff = 2.0;
    /// The bound of that (>= retryDelay, at most 366 days).
    std::chrono::nanoseconds maxRetryDelay = std::chrono::minutes{1};
    /// Whether `start()` runs it at once, and not after an interval.
    bool runAtStart = false;
};

/// What is wrong with the options: field, value and what is allowed; empty if nothing is.
[[nodiscard]] inline Complaint validate(const GuardedJobOptions& options) {
    using detail::toText;
    constexpr std::chrono::nanoseconds kZero{0};
    if (const auto complaint =
            detail::firstOf(detail::requirePace("interval", options.interval),
                            detail::requireShare("jitter", options.jitter),
                            detail::requireCount("maxRetries", options.maxRetries, 0, 1000))) {
        return complaint;
    }
    if (options.retryDelay < kZero || options.retryDelay > detail::kLongestPace) {
        return detail::complain("retryDelay", toText(options.retryDelay),
                                "a duration from 0 to " + toText(detail::kLongestPace));
    }
    // False for NaN.
    if (!(options.retryBackoff >= 1.0 && options.retryBackoff <= 1000.0)) {
        return detail::complain("retryBackoff", toText(options.retryBackoff),
                                "a number from 1 to 1000");
    }
    if (options.maxRetryDelay < options.retryDelay ||
        options.maxRetryDelay > detail::kLongestPace) {
        return detail::complain("maxRetryDelay", toText(options.maxRetryDelay),
                                "a duration from retryDelay, " + toText(options.retryDelay) +
                                    ", to " + toText(detail::kLongestPace));
    }
    return std::nullopt;
}

}  // namespace fusebox
