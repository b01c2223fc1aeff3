// SPDX-License-Identifier: MIT
// What listeners of a breaker, real or modelled, are told.
#pragma once

#include <chrono>
#include <cstdint>
#include <ostream>
#include <vector>

#include "fusebox/breaker/events.hpp"

namespace fusebox::test {

/// One telling. Transitions reach up to three listeners, in this order.
struct Told {
    enum class What : std::uint8_t {
        OnStateChange,
        OnOpen,
        OnHalfOpen,
        OnClose,
        StateChanged,
        ModeChanged,
        Reconfigured,
        WasReset,
        Succeeded,
        Failed,
        TimedOut,
        Ignored,
        Slow,
        Rejected,
    };

    What what = What::StateChanged;
    std::int64_t a = 0;  ///< from, or elapsed, or the reason of a rejection
    std::int64_t b = 0;  ///< to, or the outcome, or its retryAfter
    std::int64_t c = 0;  ///< the reason, or its state
    std::int64_t d = 0;  ///< the snapshot's timesOpened

    friend bool operator==(const Told&, const Told&) = default;
};

inline std::ostream& operator<<(std::ostream& out, const Told& told) {
    static constexpr const char* kNames[] = {
        "onStateChange", "onOpen",       "onHalfOpen", "onClose",       "StateChanged",
        "ModeChanged",   "Reconfigured", "WasReset",   "CallSucceeded", "CallFailed",
        "CallTimedOut",  "CallIgnored",  "SlowCall",   "CallRejected"};
    return out << kNames[static_cast<std::size_t>(told.what)] << '(' << told.a << ", " << told.b
               << ", " << told.c << ", " << told.d << ')';
}

/// Two streams: what happened to the breaker is told in order, calls are told in none.
struct Tellings {
    std::vector<Told> ordered{};
    std::vector<Told> calls{};

    void clear() {
        ordered.clear();
        calls.clear();
    }
    friend bool operator==(const Tellings&, const Tellings&) = default;
};

inline std::ostream& operator<<(std::ostream& out, const Tellings& tellings) {
    for (const Told& told : tellings.ordered) out << ' ' << told;
    for (const Told& told : tellings.calls) out << ' ' << told;
    return out;
}

}  // namespace fusebox::test
