// expect: fusebox: a breaker made by name holds a built-in policy, or anyOf/allOf of them
// SPDX-License-Identifier: MIT
#include <chrono>

#include "fusebox/registry/with_circuit_breaker.hpp"

struct Always {
    friend bool operator==(const Always&, const Always&) = default;

    template <class Clock>
    struct Tracker {
        explicit Tracker(const Always&) {}
        void enter(std::chrono::nanoseconds) noexcept {}
        fusebox::Verdict record(const fusebox::CallRecord&) noexcept { return true; }
    };
};

int guarded() {
    const auto fetch = [] { return 1; };
#ifdef VIOLATION
    return fusebox::withCircuitBreaker("always", fetch, Always{});
#else
    static fusebox::CircuitBreaker always{"always", Always{}};
    return fusebox::withCircuitBreaker(always, fetch);
#endif
}
