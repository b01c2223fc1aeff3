// expect: fusebox::GuardedJob: the job must be callable as
// SPDX-License-Identifier: MIT
#include "fusebox/async/guarded_job.hpp"

fusebox::CircuitBreaker<> breaker{"backend"};

#ifdef VIOLATION
fusebox::GuardedJob job{breaker, [](int wanted) { return wanted; }};
#else
fusebox::GuardedJob job{breaker, [] { return 1; }};
#endif
