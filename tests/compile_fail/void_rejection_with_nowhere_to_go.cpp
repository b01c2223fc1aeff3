// expect: fusebox: without exceptions a rejected call has nowhere to go
// flags: -fno-exceptions
// SPDX-License-Identifier: MIT
#include "fusebox/breaker/circuit_breaker.hpp"

void guarded(fusebox::CircuitBreaker<>& breaker) {
#ifdef VIOLATION
    breaker.execute([] {});
#else
    breaker.execute([] {}, fusebox::fallback([] {}));
#endif
}
