// expect: fusebox: the call must be callable as fn.const fusebox::CallContext
// SPDX-License-Identifier: MIT
#include "fusebox/async/execute_async.hpp"
#include "fusebox/async/thread_pool.hpp"

void guarded(fusebox::CircuitBreaker<>& breaker, fusebox::ThreadPool& pool) {
#ifdef VIOLATION
    (void)breaker.executeAsync(pool, [](int wanted) { return wanted; });
#else
    (void)breaker.executeAsync(pool, [] { return 1; });
#endif
}
