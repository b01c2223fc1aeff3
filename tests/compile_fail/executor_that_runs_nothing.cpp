// expect: fusebox: the executor must have bool tryExecute.f., execute.f. or post.f. for a copyable
// f SPDX-License-Identifier: MIT
#include <functional>

#include "fusebox/async/execute_on.hpp"

struct Loop {
#ifdef VIOLATION
    void run(std::function<void()> f){
#else
    void execute(std::function<void()> f) {
#endif
        f();
}
}
;

int guarded(fusebox::CircuitBreaker<>& breaker, Loop& loop) {
    return breaker.executeOn(loop, [] { return 1; });
}
