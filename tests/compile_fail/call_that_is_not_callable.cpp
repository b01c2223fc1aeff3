// expect: fusebox: the call must be callable as fn.const fusebox::CallContext
// SPDX-License-Identifier: MIT
#include "fusebox/breaker/circuit_breaker.hpp"

int guarded(fusebox::CircuitBreaker<>& breaker) {
#ifdef VIOLATION
    return breaker.execute([](int wanted) { return wanted; });
#else
    return breaker.execute([] { return 1; });
#endif
}
