// expect: fusebox::CircuitBreaker<Clock, Policy>: Policy must be a regular value
// SPDX-License-Identifier: MIT
#include <chrono>

#include "fusebox/breaker/circuit_breaker.hpp"

struct Always {
#ifndef VIOLATION
    friend bool operator==(const Always&, const Always&) = default;
#endif

    template <class Clock>
    struct Tracker {
        explicit Tracker(const Always&) {}
        void enter(std::chrono::nanoseconds) noexcept {}
        fusebox::Verdict record(const fusebox::CallRecord&) noexcept { return true; }
    };
};

fusebox::CircuitBreaker breaker{"always", Always{}};
