// expect: fusebox::judgedBy: the classifier must be callable with the result of the await
// SPDX-License-Identifier: MIT
#include <coroutine>

#include "fusebox/async/guarded_awaitable.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"

struct Answer : std::suspend_always {
    int await_resume() const { return 1; }
};

void guarded(fusebox::CircuitBreaker<>& breaker) {
#ifdef VIOLATION
    const auto judge = [](const char*) { return fusebox::Outcome::Success; };
#else
    const auto judge = [](int) { return fusebox::Outcome::Success; };
#endif
    (void)breaker.guard(fusebox::judgedBy(Answer{}, judge));
}
