// expect: a call that returns a reference needs a fallback that returns a reference
// SPDX-License-Identifier: MIT
#include "fusebox/breaker/circuit_breaker.hpp"

const int& guarded(fusebox::CircuitBreaker<>& breaker, const int& fresh, const int& old) {
    const auto read = [&]() -> const int& { return fresh; };
#ifdef VIOLATION
    // A const reference would bind to the value, and dangle.
    return breaker.execute(read, fusebox::fallback([&] { return old; }));
#else
    return breaker.execute(read, fusebox::fallback([&]() -> const int& { return old; }));
#endif
}
