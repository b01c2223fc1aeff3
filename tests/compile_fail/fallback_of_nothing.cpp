// expect: fusebox::fallback: its result must convert to the result of the call
// SPDX-License-Identifier: MIT
#include "fusebox/breaker/circuit_breaker.hpp"

int guarded(fusebox::CircuitBreaker<>& breaker) {
    const auto fetch = [] { return 1; };
#ifdef VIOLATION
    return breaker.execute(fetch, fusebox::fallback([](const fusebox::Rejection&) {}));
#else
    return breaker.execute(fetch, fusebox::fallback([](const fusebox::Rejection&) { return 0; }));
#endif
}
