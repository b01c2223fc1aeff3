// expect: Policy must be a regular value with a nested Tracker<Clock>
// SPDX-License-Identifier: MIT
#include <chrono>

#include "fusebox/breaker/circuit_breaker.hpp"

struct Always {
    friend bool operator==(const Always&, const Always&) = default;

#ifndef VIOLATION
    template <class Clock>
    struct Tracker {
        explicit Tracker(const Always&) {}
        void enter(std::chrono::nanoseconds) noexcept {}
        fusebox::Verdict record(const fusebox::CallRecord&) noexcept { return true; }
    };
#endif
};

fusebox::CircuitBreaker breaker{"always", Always{}};
