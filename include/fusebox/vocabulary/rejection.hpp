// SPDX-License-Identifier: MIT
// A call that the breaker did not admit.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "fusebox/vocabulary/state.hpp"

namespace fusebox {

/// Why a call was not admitted.
enum class RejectionReason : std::uint8_t {
    Open,        ///< The recovery wait is not over.
    ProbesBusy,  ///< Half-open, and `halfOpenLimit` probes are in flight.
    ForcedOpen,  ///< An operator forced the breaker open.
    QueueFull,   ///< The breaker admitted the call, but the executor had no room for it.
};

/// "OPEN", "PROBES_BUSY", "FORCED_OPEN" or "QUEUE_FULL".
[[nodiscard]] constexpr std::string_view toString(RejectionReason reason) noexcept {
    switch (reason) {
        case RejectionReason::Open: return "OPEN";
        case RejectionReason::ProbesBusy: return "PROBES_BUSY";
        case RejectionReason::ForcedOpen: return "FORCED_OPEN";
        case RejectionReason::QueueFull: return "QUEUE_FULL";
    }
    return "UNKNOWN";
}

/// Why a call was not admitted, and when to come back.
struct Rejection {
    /// The breaker's name; a view into the breaker (in an exception: into the exception).
    std::string_view breaker{};
    CircuitState state = CircuitState::Open;
    RejectionReason reason = RejectionReason::Open;
    /// The rest of the wait. `ProbesBusy`, `QueueFull`: 0. `ForcedOpen`: `nanoseconds::max()`.
    std::chrono::nanoseconds retryAfter{0};

    friend bool operator==(const Rejection&, const Rejection&) = default;
};

}  // namespace fusebox
