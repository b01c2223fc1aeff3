// expect: fusebox::fallback: its result must convert to the result of the call
// SPDX-License-Identifier: MIT
#include <string>

#include "fusebox/breaker/circuit_breaker.hpp"

std::string guarded(fusebox::CircuitBreaker<>& breaker) {
    const auto fetch = [] { return std::string{"fetched"}; };
#ifdef VIOLATION
    return breaker.execute(fetch, fusebox::fallback([] { return 404; }));
#else
    return breaker.execute(fetch, fusebox::fallback([] { return "cached"; }));
#endif
}
