// expect: fusebox: guard takes an awaitable, or a function that returns one
// SPDX-License-Identifier: MIT
#include <coroutine>

#include "fusebox/async/guarded_awaitable.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"

void guarded(fusebox::CircuitBreaker<>& breaker) {
#ifdef VIOLATION
    (void)breaker.guard([] { return 1; });
#else
    (void)breaker.guard([] { return std::suspend_always{}; });
#endif
}
