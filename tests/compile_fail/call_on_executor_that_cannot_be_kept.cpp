// expect: fusebox: a call in an executor is kept there: hand it over with std::move
// SPDX-License-Identifier: MIT
#include <memory>
#include <utility>

#include "fusebox/async/execute_on.hpp"
#include "fusebox/async/thread_pool.hpp"

int guarded(fusebox::CircuitBreaker<>& breaker, fusebox::ThreadPool& pool) {
    auto call = [owned = std::make_unique<int>(1)] { return *owned; };
#ifdef VIOLATION
    return breaker.executeOn(pool, call);
#else
    return breaker.executeOn(pool, std::move(call));
#endif
}
