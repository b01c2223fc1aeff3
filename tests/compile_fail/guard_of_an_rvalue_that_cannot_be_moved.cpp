// expect: fusebox: guard keeps an rvalue, and this awaitable cannot be moved
// SPDX-License-Identifier: MIT
#include <coroutine>

#include "fusebox/async/guarded_awaitable.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"

struct Immovable : std::suspend_always {
    Immovable() = default;
    Immovable(const Immovable&) = delete;
};

void guarded(fusebox::CircuitBreaker<>& breaker) {
#ifdef VIOLATION
    (void)breaker.guard(Immovable{});
#else
    Immovable named;
    (void)breaker.guard(named);
    (void)breaker.guard([] { return Immovable{}; });
#endif
}
