// SPDX-License-Identifier: MIT
// How often a breaker made each of its transitions.
#pragma once

#include <algorithm>
#include <cstdint>

#include "fusebox/vocabulary/state.hpp"

namespace fusebox {

/// There are no other transitions.
struct TransitionCounts {
    std::uint64_t closedToOpen = 0;
    std::uint64_t openToHalfOpen = 0;
    std::uint64_t halfOpenToOpen = 0;
    std::uint64_t halfOpenToClosed = 0;
    std::uint64_t openToClosed = 0;  ///< By `close()` or `reset()`.

    friend bool operator==(const TransitionCounts&, const TransitionCounts&) = default;
};

namespace detail {

/// The counts of a breaker that stands in `state`. They follow from three numbers, because whoever
/// left a state had entered it: a closed breaker that opened has closed since, unless it is still
/// on its way.
[[nodiscard]] constexpr TransitionCounts transitionsOf(CircuitState state, std::uint64_t opened,
                                                       std::uint64_t closed,
                                                       std::uint64_t openToClosed) noexcept {
    // Numbers that were restored from a text need not fit together.
    const auto less = [](std::uint64_t a, std::uint64_t b) { return a - std::min(a, b); };
    const std::uint64_t isOpen = state == CircuitState::Open ? 1 : 0;
    const std::uint64_t isAway = state == CircuitState::Closed ? 0 : 1;
    TransitionCounts counts;
    counts.closedToOpen = closed + isAway;
    counts.openToHalfOpen = less(less(opened, isOpen), openToClosed);
    counts.halfOpenToOpen = less(opened, counts.closedToOpen);
    counts.halfOpenToClosed = less(closed, openToClosed);
    counts.openToClosed = openToClosed;
    return counts;
}

}  // namespace detail
}  // namespace fusebox
