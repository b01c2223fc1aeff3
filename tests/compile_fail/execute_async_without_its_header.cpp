// expect: fusebox: executeAsync needs #include <fusebox/async/execute_async.hpp>
// SPDX-License-Identifier: MIT
#include "fusebox/breaker/circuit_breaker.hpp"
#ifndef VIOLATION
#include "fusebox/async/execute_async.hpp"
#endif

struct Loop {
    template <class F>
    void post(F f) {
        f();
    }
};

void guarded(fusebox::CircuitBreaker<>& breaker, Loop& loop) {
    (void)breaker.executeAsync(loop, [] { return 1; });
}
