// expect: fusebox: executeOn needs #include <fusebox/async/execute_on.hpp>
// SPDX-License-Identifier: MIT
#include "fusebox/breaker/circuit_breaker.hpp"
#ifndef VIOLATION
#include "fusebox/async/execute_on.hpp"
#endif

struct Loop {
    template <class F>
    void execute(F f) {
        f();
    }
};

int guarded(fusebox::CircuitBreaker<>& breaker, Loop& loop) {
    return breaker.executeOn(loop, [] { return 1; });
}
