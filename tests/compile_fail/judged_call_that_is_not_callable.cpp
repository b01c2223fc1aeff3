// expect: fusebox: the call must be callable as fn.const fusebox::CallContext
// SPDX-License-Identifier: MIT
#include "fusebox/breaker/circuit_breaker.hpp"

int guarded(fusebox::CircuitBreaker<>& breaker) {
    const auto judge = [](int) { return fusebox::Outcome::Success; };
#ifdef VIOLATION
    return breaker.execute(fusebox::judgedBy(1, judge));
#else
    return breaker.execute(fusebox::judgedBy([] { return 1; }, judge));
#endif
}
