// expect: fusebox: without exceptions a call in an executor that misses its deadline has nowhere
// flags: -fno-exceptions
// SPDX-License-Identifier: MIT
#include "fusebox/async/execute_on.hpp"
#include "fusebox/async/thread_pool.hpp"

int guarded(fusebox::CircuitBreaker<>& breaker, fusebox::ThreadPool& pool) {
#ifdef VIOLATION
    const auto answer = [](const fusebox::Rejection&) { return 2; };
#else
    const auto answer = [] { return 2; };
#endif
    return breaker.executeOn(
        pool, [] { return 1; }, fusebox::fallback(answer));
}
