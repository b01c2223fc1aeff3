// expect: fusebox: guard takes an awaitable, or a function that returns one
// SPDX-License-Identifier: MIT
#include <coroutine>

#include "fusebox/async/guarded_awaitable.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"

struct WithoutResume {
    bool await_ready();
    void await_suspend(std::coroutine_handle<>);
};

void guarded(fusebox::CircuitBreaker<>& breaker) {
#ifdef VIOLATION
    (void)breaker.guard(WithoutResume{});
#else
    (void)breaker.guard(std::suspend_always{});
#endif
}
