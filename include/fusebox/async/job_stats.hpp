// SPDX-License-Identifier: MIT
// JobStats: how a guarded job fares.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace fusebox {

/// Counts of a GuardedJob, all of one instant. `runs` is `successes + failures`, and one more while
/// `retrying`.
struct JobStats {
    std::uint64_t runs = 0;       ///< Runs of which at least one attempt was made.
    std::uint64_t successes = 0;  ///< Runs that ended with an attempt that succeeded.
    std::uint64_t failures = 0;   ///< Runs that ended otherwise, or were given up by `stop()`.
    std::uint64_t skipped = 0;    ///< Runs that did not begin, because the breaker rejected them.
    std::uint64_t retries = 0;    ///< Attempts after the first of a run.
    bool retrying = false;        ///< Whether a run waits for its next attempt.
    std::string lastError{};      ///< Of the last attempt that failed; at most 127 bytes.
    std::optional<std::chrono::system_clock::time_point> lastSuccess{};
    std::optional<std::chrono::system_clock::time_point> lastFailure{};  ///< Of an attempt.

    friend bool operator==(const JobStats&, const JobStats&) = default;
};

}  // namespace fusebox
