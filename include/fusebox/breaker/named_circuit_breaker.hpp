// SPDX-License-Identifier: MIT
// NamedCircuitBreaker: what registries make.
#pragma once

#include <chrono>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/policy/any_trip_policy.hpp"

namespace fusebox {

/// A breaker whose policy is chosen at run time.
using NamedCircuitBreaker = CircuitBreaker<std::chrono::steady_clock, AnyTripPolicy>;

}  // namespace fusebox
