// expect: fusebox::judgedBy: the classifier must be callable with the result or with a
// SPDX-License-Identifier: MIT
#include <string>

#include "fusebox/async/execute_on.hpp"
#include "fusebox/async/thread_pool.hpp"

int guarded(fusebox::CircuitBreaker<>& breaker, fusebox::ThreadPool& pool) {
#ifdef VIOLATION
    using Judged = std::string;
#else
    using Judged = int;
#endif
    return breaker.executeOn(
        pool, fusebox::judgedBy([] { return 1; },
                                [](const Judged&) { return fusebox::Outcome::Success; }));
}
