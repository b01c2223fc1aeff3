// expect: fusebox: a breaker made by name holds a built-in policy, or anyOf/allOf of them
// SPDX-License-Identifier: MIT
#include "fusebox/registry/with_circuit_breaker.hpp"

int guarded() {
    const auto fetch = [] { return 1; };
#ifdef VIOLATION
    return fusebox::withCircuitBreaker("five", fetch, 5);
#else
    return fusebox::withCircuitBreaker("five", fetch, fusebox::ConsecutiveFailures{5});
#endif
}
