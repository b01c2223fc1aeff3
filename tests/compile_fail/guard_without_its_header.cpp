// expect: fusebox: guard needs #include <fusebox/async/guarded_awaitable.hpp>
// SPDX-License-Identifier: MIT
#include <coroutine>

#include "fusebox/breaker/circuit_breaker.hpp"
#ifndef VIOLATION
#include "fusebox/async/guarded_awaitable.hpp"
#endif

void guarded(fusebox::CircuitBreaker<>& breaker) {
    (void)breaker.guard(std::suspend_always{});
}
