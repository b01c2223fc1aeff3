// expect: fusebox::CircuitBreaker<Clock, Policy>: Clock must have time_point, duration, is_steady
// SPDX-License-Identifier: MIT
#include <chrono>

#include "fusebox/breaker/circuit_breaker.hpp"

struct Hourglass {
    using duration = std::chrono::seconds;
    using time_point = std::chrono::time_point<Hourglass, duration>;
    static constexpr bool is_steady = true;
#ifdef VIOLATION
    time_point turned() const {
        return {};
    }
#else
    time_point now() const {
        return {};
    }
#endif
};

fusebox::CircuitBreaker<Hourglass> breaker{"sand"};
