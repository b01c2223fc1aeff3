// expect: fusebox: executeAsync needs exceptions: its future carries rejections and
// flags: -fno-exceptions
// SPDX-License-Identifier: MIT
#include "fusebox/async/execute_async.hpp"
#include "fusebox/async/execute_on.hpp"
#include "fusebox/async/thread_pool.hpp"

int guarded(fusebox::CircuitBreaker<>& breaker, fusebox::ThreadPool& pool) {
#ifdef VIOLATION
    return breaker.executeAsync(pool, [] { return 1; }).get();
#else
    return breaker.executeOn(
        pool, [] { return 1; }, fusebox::fallback([] { return 2; }));
#endif
}
