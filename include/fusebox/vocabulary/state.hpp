// SPDX-License-Identifier: MIT
// The states of a breaker, the modes that overlay them, and why a transition happened.
#pragma once

#include <cstdint>
#include <string_view>

namespace fusebox {

/// Where a breaker stands in its cycle CLOSED -> OPEN -> HALF_OPEN -> CLOSED.
enum class CircuitState : std::uint8_t {
    Closed,    ///< Calls go through and are recorded.
    Open,      ///< Calls are rejected until the wait is over.
    HalfOpen,  ///< A few probes go through; they decide what comes next.
};

/// What an operator laid over the cycle. Modes are sticky: only `setMode` changes them.
enum class ControlMode : std::uint8_t {
    Automatic,     ///< The cycle decides.
    ForcedOpen,    ///< Every call is rejected; the cycle is frozen.
    ForcedClosed,  ///< Every call is admitted; the cycle is frozen.
    Shadow,  ///< Every call is admitted; the cycle runs and counts what it would have rejected.
};

/// Why the state changed.
enum class TransitionReason : std::uint8_t {
    PolicyTripped,    ///< Closed -> Open: the trip policy said so.
    ProbeFailed,      ///< HalfOpen -> Open: a probe failed, timed out, or was slow.
    ProbeLost,        ///< HalfOpen -> Open: a probe was in flight for longer than `probeTimeout`.
    WaitElapsed,      ///< Open -> HalfOpen: the recovery wait is over.
    ProbesSucceeded,  ///< HalfOpen -> Closed: `successThreshold` probes succeeded.
    Manual,           ///< `open()` or `close()`.
    Reset,            ///< `reset()`.
};

/// "CLOSED", "OPEN" or "HALF_OPEN".
[[nodiscard]] constexpr std::string_view toString(CircuitState state) noexcept {
    switch (state) {
        case CircuitState::Closed: return "CLOSED";
        case CircuitState::Open: return "OPEN";
        case CircuitState::HalfOpen: return "HALF_OPEN";
    }
    return "UNKNOWN";
}

/// "AUTOMATIC", "FORCED_OPEN", "FORCED_CLOSED" or "SHADOW".
[[nodiscard]] constexpr std::string_view toString(ControlMode mode) noexcept {
    switch (mode) {
        case ControlMode::Automatic: return "AUTOMATIC";
        case ControlMode::ForcedOpen: return "FORCED_OPEN";
        case ControlMode::ForcedClosed: return "FORCED_CLOSED";
        case ControlMode::Shadow: return "SHADOW";
    }
    return "UNKNOWN";
}

/// The enumerator's words in capitals, such as "POLICY_TRIPPED".
[[nodiscard]] constexpr std::string_view toString(TransitionReason reason) noexcept {
    switch (reason) {
        case TransitionReason::PolicyTripped: return "POLICY_TRIPPED";
        case TransitionReason::ProbeFailed: return "PROBE_FAILED";
        case TransitionReason::ProbeLost: return "PROBE_LOST";
        case TransitionReason::WaitElapsed: return "WAIT_ELAPSED";
        case TransitionReason::ProbesSucceeded: return "PROBES_SUCCEEDED";
        case TransitionReason::Manual: return "MANUAL";
        case TransitionReason::Reset: return "RESET";
    }
    return "UNKNOWN";
}

}  // namespace fusebox
