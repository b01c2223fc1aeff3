// SPDX-License-Identifier: MIT
// Both runs in numbers, side by side, and the verdict whether the breaker protected anything.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "guard.hpp"
#include "recording.hpp"
#include "script.hpp"

namespace flaky {

/// A run in numbers.
struct Summary {
    std::size_t calls = 0;
    std::size_t failed = 0;
    std::size_t rejected = 0;
    std::size_t rejectedWhileHealthy = 0;
    int reached = 0;      ///< requests that reached the server, by its own count
    int reachedSick = 0;  ///< those of them that came while it was sick
    nanoseconds p50{}, p99{};
    nanoseconds sickP50{}, sickP99{};  ///< of the calls that began while it was sick
    nanoseconds sickWaiting{};         ///< what all callers together spent in those
    nanoseconds longest{};
    std::optional<nanoseconds> firstFailureToOpen;
    std::optional<nanoseconds> recoveryToSuccess;
    std::optional<nanoseconds> recoveryToClosed;
    bool closedWhileSick = false;
};

/// `transitions` are the breaker's, none for an unguarded run.
[[nodiscard]] Summary summarize(const Recording& recording, const Script& script,
                                const std::vector<Transition>& transitions);

void printTable(const Summary& unguarded, const Summary& guarded);

/// Prints every criterion with PASS or FAIL; true if the guarded run passed them all.
[[nodiscard]] bool printVerdict(const Summary& unguarded, const Summary& guarded);

}  // namespace flaky
