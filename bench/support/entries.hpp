// SPDX-License-Identifier: MIT
// The ways into a breaker.
#pragma once

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>

#include "fusebox/fusebox.hpp"
#include "support/cases.hpp"
#include "support/subjects.hpp"
#include "support/work.hpp"

namespace bench {

/// A breaker, and what has to live with it.
template <class Clock, class Policy>
struct Guarded {
    using Breaker = fusebox::CircuitBreaker<Clock, Policy>;

    Guarded(const Policy& policy, const fusebox::CircuitBreakerOptions& options, Clock clock = {})
        : breaker("bench", policy, options, std::move(clock)) {}

    Breaker breaker;
    fusebox::Subscription subscription{};
    typename Breaker::Permit held{};
};
inline constexpr auto breakerOf = [](auto& guarded) -> auto& {
    return guarded.breaker;
};

/// `execute(fn)`.
struct Execute {
    static constexpr const char* kEntry = "execute";

    template <class Breaker, class Fn>
    static void call(Breaker& breaker, Fn fn) {
        benchmark::DoNotOptimize(breaker.execute(fn));
    }
};

/// `execute(fn, fallback(...))`.
struct WithFallback {
    static constexpr const char* kEntry = "fallback";

    template <class Breaker, class Fn>
    static void call(Breaker& breaker, Fn fn) {
        const auto answer = [] { return decltype(fn()){}; };
        benchmark::DoNotOptimize(breaker.execute(fn, fusebox::fallback(answer)));
    }
};

/// `tryAcquire()`, the call, and the report of a success.
struct ByPermit {
    static constexpr const char* kEntry = "permit";

    template <class Breaker, class Fn>
    static void call(Breaker& breaker, Fn fn) {
        auto permit = breaker.tryAcquire();
        if (!permit) return;
        benchmark::DoNotOptimize(fn());
        permit.success();
    }
};

/// `execute(fn)` whose exception the caller catches.
struct Catching {
    static constexpr const char* kEntry = "exception";

    template <class Breaker, class Fn>
    static void call(Breaker& breaker, Fn fn) {
        try {
            benchmark::DoNotOptimize(breaker.execute(fn));
        } catch (const std::exception& error) {
            benchmark::DoNotOptimize(&error);
        }
    }
};

}  // namespace bench
