// expect: nested Tracker<Clock> that has noexcept enter.now. and record.call.
// SPDX-License-Identifier: MIT
#include <chrono>

#include "fusebox/breaker/circuit_breaker.hpp"

#ifdef VIOLATION
#define RECORD_NOEXCEPT
#else
#define RECORD_NOEXCEPT noexcept
#endif

struct Always {
    friend bool operator==(const Always&, const Always&) = default;

    template <class Clock>
    struct Tracker {
        explicit Tracker(const Always&) {}
        void enter(std::chrono::nanoseconds) noexcept {}
        fusebox::Verdict record(const fusebox::CallRecord&) RECORD_NOEXCEPT { return true; }
    };
};

fusebox::CircuitBreaker breaker{"always", Always{}};
