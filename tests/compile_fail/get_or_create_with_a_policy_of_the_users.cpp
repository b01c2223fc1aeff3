// expect: fusebox: a breaker made by name holds a built-in policy, or anyOf/allOf of them
// SPDX-License-Identifier: MIT
#include "fusebox/registry/registry.hpp"

struct Never {};

void make(fusebox::CircuitBreakerRegistry& registry) {
#ifdef VIOLATION
    registry.getOrCreate("never", Never{});
#else
    registry.getOrCreate("never", fusebox::Cusum{});
#endif
}
