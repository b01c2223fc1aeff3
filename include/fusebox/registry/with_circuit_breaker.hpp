// SPDX-License-Identifier: MIT
// withCircuitBreaker: one call through a breaker, found by name or given.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/breaker/fallback.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/registry/breaker_maker.hpp"
#include "fusebox/registry/circuit_breaker_registry.hpp"
#include "fusebox/registry/process_registry.hpp"
#include "fusebox/registry/registry_entry.hpp"

namespace fusebox {

/// `breaker.execute(fn[, fallback])`.
template <class Clock, class Policy, class Fn, class F = detail::NoAnswer>
decltype(auto) withCircuitBreaker(CircuitBreaker<Clock, Policy>& breaker, Fn&& fn,
                                  Fallback<F> fallback = detail::noFallback) {
    return breaker.execute(std::forward<Fn>(fn), std::move(fallback));
}

/// As above, through a handle, which is not copied: that would write a line that threads share.
/// @pre the handle is not null, and not reset while the call runs.
template <class Clock, class Policy, class Fn, class F = detail::NoAnswer>
decltype(auto) withCircuitBreaker(const std::shared_ptr<CircuitBreaker<Clock, Policy>>& breaker,
                                  Fn&& fn, Fallback<F> fallback = detail::noFallback) {
    return breaker->execute(std::forward<Fn>(fn), std::move(fallback));
}

namespace detail {

/// The way of calls by name to what is behind a registry.
struct RegistryAccess {
    /// Keeps the breaker alive during the call without counting that: it would write a line that
    /// threads share.
    template <class P = AnyTripPolicy, class Fn, class F>
    FUSEBOX_HOT static decltype(auto) call(CircuitBreakerRegistry& registry, std::string_view name,
                                           Fn&& fn, const P* policy,
                                           const CircuitBreakerOptions* options,
                                           Fallback<F> fallback) {
        const EntryPin pinned = registry.maker_.pin(name, policy, options);
        return pinned->named()->execute(std::forward<Fn>(fn), std::move(fallback));
    }
};

}  // namespace detail

/// Calls `fn` through the breaker of that name in the registry, made on first use. The first
/// configuration of a name wins; see `CircuitBreakerRegistry::onConfigConflict`.
template <class Fn, class F = detail::NoAnswer>
decltype(auto) withCircuitBreaker(CircuitBreakerRegistry& registry, std::string_view name, Fn&& fn,
                                  Fallback<F> fallback = detail::noFallback) {
    return detail::RegistryAccess::call<AnyTripPolicy>(registry, name, std::forward<Fn>(fn),
                                                       nullptr, nullptr, std::move(fallback));
}

template <class Fn, class F = detail::NoAnswer>
decltype(auto) withCircuitBreaker(CircuitBreakerRegistry& registry, std::string_view name, Fn&& fn,
                                  const CircuitBreakerOptions& options,
                                  Fallback<F> fallback = detail::noFallback) {
    return detail::RegistryAccess::call<AnyTripPolicy>(registry, name, std::forward<Fn>(fn),
                                                       nullptr, &options, std::move(fallback));
}

template <class Fn, detail::PolicyArgument P, class F = detail::NoAnswer>
decltype(auto) withCircuitBreaker(CircuitBreakerRegistry& registry, std::string_view name, Fn&& fn,
                                  const P& policy, Fallback<F> fallback = detail::noFallback) {
    return detail::RegistryAccess::call(registry, name, std::forward<Fn>(fn), &policy, nullptr,
                                        std::move(fallback));
}

template <class Fn, detail::PolicyArgument P, class F = detail::NoAnswer>
decltype(auto) withCircuitBreaker(CircuitBreakerRegistry& registry, std::string_view name, Fn&& fn,
                                  const P& policy, const CircuitBreakerOptions& options,
                                  Fallback<F> fallback = detail::noFallback) {
    return detail::RegistryAccess::call(registry, name, std::forward<Fn>(fn), &policy, &options,
                                        std::move(fallback));
}

/// As above, in the registry of the process.
template <class Fn, class F = detail::NoAnswer>
decltype(auto) withCircuitBreaker(std::string_view name, Fn&& fn,
                                  Fallback<F> fallback = detail::noFallback) {
    return fusebox::withCircuitBreaker(circuitBreakerRegistry(), name, std::forward<Fn>(fn),
                                       std::move(fallback));
}

template <class Fn, class F = detail::NoAnswer>
decltype(auto) withCircuitBreaker(std::string_view name, Fn&& fn,
                                  const CircuitBreakerOptions& options,
                                  Fallback<F> fallback = detail::noFallback) {
    return fusebox::withCircuitBreaker(circuitBreakerRegistry(), name, std::forward<Fn>(fn),
                                       options, std::move(fallback));
}

template <class Fn, detail::PolicyArgument P, class F = detail::NoAnswer>
decltype(auto) withCircuitBreaker(std::string_view name, Fn&& fn, const P& policy,
                                  Fallback<F> fallback = detail::noFallback) {
    return fusebox::withCircuitBreaker(circuitBreakerRegistry(), name, std::forward<Fn>(fn), policy,
                                       std::move(fallback));
}

template <class Fn, detail::PolicyArgument P, class F = detail::NoAnswer>
decltype(auto) withCircuitBreaker(std::string_view name, Fn&& fn, const P& policy,
                                  const CircuitBreakerOptions& options,
                                  Fallback<F> fallback = detail::noFallback) {
    return fusebox::withCircuitBreaker(circuitBreakerRegistry(), name, std::forward<Fn>(fn), policy,
                                       options, std::move(fallback));
}

}  // namespace fusebox
