// SPDX-License-Identifier: MIT
// The registry of the process.
#pragma once

#include <memory>
#include <string_view>

#include "fusebox/breaker/named_circuit_breaker.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/registry/breaker_maker.hpp"
#include "fusebox/registry/circuit_breaker_registry.hpp"
#include "fusebox/vocabulary/never_destroyed.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox {

namespace detail {

template <int version>
[[nodiscard]] FUSEBOX_PROCESS_WIDE CircuitBreakerRegistry& processRegistry() {
    static NeverDestroyed<CircuitBreakerRegistry> registry;
    return registry.get();
}

}  // namespace detail

/// The registry of the process. Never destroyed, so that it works from static initialisers, at exit
/// and in threads that outlive `main`. Shared objects share it, with hidden symbols too, as far as
/// the loader lets them see each other (not: `dlopen` with RTLD_LOCAL; then hand it over).
[[nodiscard]] inline CircuitBreakerRegistry& circuitBreakerRegistry() {
    return detail::processRegistry<detail::kVersion>();
}

/// `circuitBreakerRegistry().getOrCreate(...)`.
template <class P = AnyTripPolicy>
std::shared_ptr<NamedCircuitBreaker> createCircuitBreaker(std::string_view name) {
    return circuitBreakerRegistry().getOrCreate<P>(name);
}
template <class P = AnyTripPolicy>
std::shared_ptr<NamedCircuitBreaker> createCircuitBreaker(std::string_view name,
                                                          const CircuitBreakerOptions& options) {
    return circuitBreakerRegistry().getOrCreate<P>(name, options);
}
template <detail::PolicyArgument P>
std::shared_ptr<NamedCircuitBreaker> createCircuitBreaker(std::string_view name, const P& policy) {
    return circuitBreakerRegistry().getOrCreate(name, policy);
}
template <detail::PolicyArgument P>
std::shared_ptr<NamedCircuitBreaker> createCircuitBreaker(std::string_view name, const P& policy,
                                                          const CircuitBreakerOptions& options) {
    return circuitBreakerRegistry().getOrCreate(name, policy, options);
}

}  // namespace fusebox
