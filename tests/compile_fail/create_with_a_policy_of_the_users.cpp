// expect: fusebox: a breaker made by name holds a built-in policy, or anyOf/allOf of them
// SPDX-License-Identifier: MIT
#include "fusebox/registry/registry.hpp"

struct Never {};

void make(fusebox::CircuitBreakerRegistry& registry) {
#ifdef VIOLATION
    registry.create("never", Never{});
#else
    registry.create("never", fusebox::Cusum{});
#endif
}
