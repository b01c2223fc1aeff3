// expect: anyOf.* and allOf.*: give at least one policy
// SPDX-License-Identifier: MIT
#include "fusebox/policy/composite.hpp"
#include "fusebox/policy/consecutive_failures.hpp"

#ifdef VIOLATION
const auto policy = fusebox::anyOf();
#else
const auto policy = fusebox::anyOf(fusebox::ConsecutiveFailures{});
#endif
