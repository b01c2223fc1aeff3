// SPDX-License-Identifier: MIT
// Successful calls that know their deadline, and calls in an executor.
#include <chrono>
#include <memory>

#include "calls/families.hpp"
#include "support/cases.hpp"
#include "support/entries.hpp"
#include "support/floor.hpp"
#include "support/subjects.hpp"
#include "support/work.hpp"

#if FUSEBOX_HAS_STOP_TOKEN
#include <stop_token>
#endif

namespace bench {
namespace {

/// Runs what it gets: what is measured is the way there and back, without another thread.
struct AtOnce {
    void execute(const fusebox::detail::TaskHandle& task) { task(); }
};

template <class Step>
void addCase(const char* entry, const ThreadCounts& threads, Step step) {
    add(
        {.what = "deadline",
         .policy = kInARow.name,
         .clock = kSteady.name,
         .options = nameOf(Measuring::Latency),
         .entry = entry,
         .floor = floors::twoReadings(kSteady.name)},
        threads,
        [] {
            return std::make_unique<
                Guarded<std::chrono::steady_clock, fusebox::ConsecutiveFailures>>(
                kInARow.policy, optionsFor(Measuring::Latency));
        },
        step,
        counted(fusebox::CircuitState::Closed, &fusebox::CircuitBreakerStats::totalSuccesses,
                breakerOf));
}

}  // namespace

void addDeadlines() {
    addCase("context", kOneAndTwo, [](auto& guarded) {
        Execute::call(guarded.breaker, [](const fusebox::CallContext&) { return work(); });
    });
    addCase("remaining", kOneAndTwo, [](auto& guarded) {
        Execute::call(guarded.breaker, [](const fusebox::CallContext& context) {
            benchmark::DoNotOptimize(context.remaining());
            return work();
        });
    });
#if FUSEBOX_HAS_STOP_TOKEN
    // Arms the timer and disarms it.
    addCase("stop_token", kOneAndTwo, [](auto& guarded) {
        Execute::call(guarded.breaker, [](const std::stop_token& deadline) {
            benchmark::DoNotOptimize(&deadline);
            return work();
        });
    });
#endif
    addCase("executeOn", kOneAndTwo, [](auto& guarded) {
        AtOnce executor;
        benchmark::DoNotOptimize(guarded.breaker.executeOn(executor, kWork));
    });
    addCase("executeAsync", kOneAndTwo, [](auto& guarded) {
        AtOnce executor;
        benchmark::DoNotOptimize(guarded.breaker.executeAsync(executor, kWork).get());
    });
    // On the way through another thread and back.
    struct WithPool : Guarded<std::chrono::steady_clock, fusebox::ConsecutiveFailures> {
        using Guarded::Guarded;
        fusebox::ThreadPool pool{1, 8};
    };
    add(
        {.what = "deadline",
         .policy = kInARow.name,
         .clock = kSteady.name,
         .options = nameOf(Measuring::Latency),
         .entry = "executeOn, ThreadPool",
         .floor = floors::twoReadings(kSteady.name)},
        kOneThread,
        [] { return std::make_unique<WithPool>(kInARow.policy, optionsFor(Measuring::Latency)); },
        [](WithPool& guarded) {
            benchmark::DoNotOptimize(guarded.breaker.executeOn(guarded.pool, kWork));
        },
        counted(fusebox::CircuitState::Closed, &fusebox::CircuitBreakerStats::totalSuccesses,
                breakerOf));
}

}  // namespace bench
