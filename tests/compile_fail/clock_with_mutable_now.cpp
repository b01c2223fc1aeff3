// expect: is_steady and a now.. that is callable on a const instance
// SPDX-License-Identifier: MIT
#include <chrono>

#include "fusebox/breaker/circuit_breaker.hpp"

struct Counting {
    using duration = std::chrono::nanoseconds;
    using time_point = std::chrono::time_point<Counting, duration>;
    static constexpr bool is_steady = true;
#ifdef VIOLATION
    time_point now() {
        return time_point{duration{++reads}};
    }
#else
    time_point now() const {
        return time_point{duration{++reads}};
    }
#endif
    mutable int reads = 0;
};

fusebox::CircuitBreaker<Counting> breaker{"counting"};
