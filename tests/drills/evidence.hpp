// SPDX-License-Identifier: MIT
// What callers, breaker, proxy and server each noted of one outage.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "drills/fault_proxy.hpp"
#include "fusebox/breaker/events.hpp"
#include "fusebox/breaker/stats.hpp"

namespace fusebox::test {

using Time = std::chrono::steady_clock::time_point;
inline constexpr Time kNever = Time::max();

/// What the breaker's events said of a call.
enum class Told { Nothing, Success, Failure, Timeout, Ignored, Rejected };

/// A call as its caller saw it.
struct SeenCall {
    Time start{};         ///< Before the breaker was asked.
    Time begun = kNever;  ///< When its callable began, if it did.
    Time ended = kNever;  ///< When that ended.
    Time end = kNever;    ///< When the caller went on.
    int status = 0;       ///< Of HTTP; 0: none.
    bool rejected = false;
    Told told = Told::Nothing;
    int tellings = 0;  ///< How many events ended this call.
    bool slow = false;
    /// When it told of a half-open state, before its callable began: then it is a probe of that.
    Time halfOpen = kNever;

    [[nodiscard]] bool admitted() const { return begun != kNever; }
    [[nodiscard]] bool failed() const { return told == Told::Failure || told == Told::Timeout; }
};

struct SeenTransition {
    Time delivered{};  ///< When the listener was called: some time after the transition.
    CircuitState from{};
    CircuitState to{};
    TransitionReason reason{};
};

struct Evidence {
    std::vector<SeenCall> calls{};
    std::vector<SeenTransition> transitions{};
    std::vector<SeenRequest> requests{};  ///< For work, at the proxy.
    std::uint64_t serverReached = 0;      ///< Requests for work that the server counted.
    CircuitBreakerStats stats{};          ///< When all was over.
    Time faultBegan{};
    Time healBegan{};  ///< The fault was lifted between these two.
    Time healed{};
    std::chrono::nanoseconds worstLag{0};  ///< How late a sleeping thread woke at worst meanwhile.
};

}  // namespace fusebox::test
