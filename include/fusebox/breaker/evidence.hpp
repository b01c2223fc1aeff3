// SPDX-License-Identifier: MIT
// What a verdict rests on.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>

#include "fusebox/breaker/past_calls.hpp"
#include "fusebox/breaker/stats.hpp"
#include "fusebox/vocabulary/call_counts.hpp"

namespace fusebox::detail {

/// The window and the last calls, as they stood at a verdict.
struct Evidence {
    CallCounts window{};
    std::uint64_t minimumCalls = 1;
    std::uint64_t consecutiveFailures = 0;
    PastCalls pastCalls{};
};

/// The evidence that a record tells of. A template, so that only those compile it who use a
/// breaker.
template <std::same_as<TripRecord> Record>
[[nodiscard]] Evidence evidenceOf(const Record& trip) noexcept {
    // There are rates where the calls reached the minimum.
    const bool rated = trip.failureRate || trip.slowCallRate;
    return {{trip.windowCalls, trip.windowFailures, trip.windowSlow},
            rated ? 1 : std::numeric_limits<std::uint64_t>::max(),
            trip.consecutiveFailures,
            PastCalls{trip.lastOutcomes}};
}

}  // namespace fusebox::detail
