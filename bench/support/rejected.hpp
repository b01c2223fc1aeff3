// SPDX-License-Identifier: MIT
// The ways in which a rejected call learns of it.
#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <utility>

#include "support/entries.hpp"
#include "support/floor.hpp"
#include "support/work.hpp"

namespace bench {

/// A permit that is asked no more than whether it admits.
struct PermitRefused {
    static constexpr const char* kEntry = "permit";

    template <class Breaker>
    static void call(Breaker& breaker) {
        benchmark::DoNotOptimize(static_cast<bool>(breaker.tryAcquire()));
    }
};

/// A permit that is asked why, too.
struct PermitExplains {
    static constexpr const char* kEntry = "permit+rejection";

    template <class Breaker>
    static void call(Breaker& breaker) {
        auto permit = breaker.tryAcquire();
        if (permit) return;
        benchmark::DoNotOptimize(permit.rejection().retryAfter);
    }
};

struct FallbackAnswers {
    static constexpr const char* kEntry = "fallback";

    template <class Breaker>
    static void call(Breaker& breaker) {
        WithFallback::call(breaker, kWork);
    }
};

struct ResultCarries {
    static constexpr const char* kEntry = "result type";

    template <class Breaker>
    static void call(Breaker& breaker) {
        Execute::call(breaker, kReply);
    }
};

struct ExceptionThrown {
    static constexpr const char* kEntry = "exception";

    template <class Breaker>
    static void call(Breaker& breaker) {
        Catching::call(breaker, kWork);
    }
};

/// The cases of a rejection, for fixtures that `make()` returns; all in `state`.
template <class Make>
void addRejections(const CaseName& common, const std::string& clock, const ThreadCounts& threads,
                   fusebox::CircuitState state, Make make) {
    const auto addOne = [&]<class Entry>(Entry, const std::string& floor) {
        CaseName name = common;
        name.clock = clock;
        name.entry = Entry::kEntry;
        name.floor = floor;
        add(
            name, threads, make, [](auto& guarded) { Entry::call(guarded.breaker); },
            counted(state, &fusebox::CircuitBreakerStats::totalRejected, breakerOf));
    };
    const std::string floor = floors::rejection(clock);
    addOne(PermitRefused{}, floor);
    addOne(PermitExplains{}, floor);
    addOne(FallbackAnswers{}, floor);
    addOne(ResultCarries{}, floor);
    addOne(ExceptionThrown{}, floors::kThrow);
}

}  // namespace bench
