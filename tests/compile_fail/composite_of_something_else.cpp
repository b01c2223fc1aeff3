// expect: anyOf.* and allOf.*: each part must model TripPolicy
// SPDX-License-Identifier: MIT
#include "fusebox/policy/composite.hpp"
#include "fusebox/policy/consecutive_failures.hpp"

#ifdef VIOLATION
const auto policy = fusebox::allOf(fusebox::ConsecutiveFailures{}, 5);
#else
const auto policy = fusebox::allOf(fusebox::ConsecutiveFailures{}, fusebox::ConsecutiveFailures{5});
#endif
