// SPDX-License-Identifier: MIT
// Failing calls through a breaker that stays closed all the same (NeverTrips).
#include <memory>

#include "calls/families.hpp"
#include "support/cases.hpp"
#include "support/entries.hpp"
#include "support/floor.hpp"
#include "support/hand_written.hpp"
#include "support/subjects.hpp"
#include "support/work.hpp"

namespace bench {
namespace {

/// `tryAcquire()`, the call, and the report of a failure.
struct FailingPermit {
    static constexpr const char* kEntry = "permit";

    template <class Breaker, class Fn>
    static void call(Breaker& breaker, Fn fn) {
        auto permit = breaker.tryAcquire();
        if (!permit) return;
        benchmark::DoNotOptimize(fn());
        permit.failure();
    }
};

template <class Entry, class Policy, class Fn>
void addCase(const char* what, const PolicyCase<Policy>& policy, Measuring measuring, Fn fn,
             const std::string& floor, const ThreadCounts& threads) {
    using Guard = Guarded<std::chrono::steady_clock, NeverTrips<Policy>>;
    add(
        {.what = what,
         .policy = policy.name,
         .clock = kSteady.name,
         .options = nameOf(measuring),
         .entry = Entry::kEntry,
         .floor = floor},
        threads,
        [=] {
            return std::make_unique<Guard>(NeverTrips<Policy>{policy.policy},
                                           optionsFor(measuring));
        },
        [=](Guard& guarded) { Entry::call(guarded.breaker, fn); },
        counted(fusebox::CircuitState::Closed, &fusebox::CircuitBreakerStats::totalFailures,
                breakerOf));
}

template <class Entry, class Policy>
void addReturned(const PolicyCase<Policy>& policy, Measuring measuring) {
    addCase<Entry>("closed failure", policy, measuring, kFailedReply,
                   floors::ofFailure(policy.senses, measuring, kSteady.name), kManyThreads);
}

void addHandWritten() {
    hand_written::forEach([]<class Breaker>(std::type_identity<Breaker>, const char* by) {
        const auto make = [] { return std::make_unique<Breaker>(); };
        const auto stayedClosed = hand_written::stayed(false);
        add(
            {.what = "closed failure", .by = by, .floor = floors::kPlain}, kManyThreads, make,
            [](Breaker& breaker) {
                benchmark::DoNotOptimize(hand_written::execute(breaker, kFailedReply));
            },
            stayedClosed);
        add(
            {.what = "closed exception", .by = by, .floor = floors::kThrow}, kOneAndTwo, make,
            [](Breaker& breaker) {
                try {
                    benchmark::DoNotOptimize(hand_written::execute(breaker, kThrowingWork));
                } catch (const std::exception& error) {
                    benchmark::DoNotOptimize(&error);
                }
            },
            stayedClosed);
    });
}

}  // namespace

void addClosedFailure() {
    forEachPolicy([](const auto& policy) {
        const bool timed = policy.senses == Senses::Latency;
        addReturned<Execute>(policy, timed ? Measuring::Latency : Measuring::Nothing);
    });
    addReturned<Execute>(kInARow, Measuring::Latency);
    addCase<FailingPermit>("closed failure", kInARow, Measuring::Nothing, kFailedReply,
                           floors::ofPermit(Measuring::Nothing, kSteady.name), kManyThreads);
    for (const Measuring measuring : {Measuring::Nothing, Measuring::Latency}) {
        addCase<Catching>("closed exception", kInARow, measuring, kThrowingWork, floors::kThrow,
                          kOneAndTwo);
        addCase<WithFallback>("closed exception", kInARow, measuring, kThrowingWork, floors::kThrow,
                              kOneAndTwo);
    }
    addHandWritten();
}

}  // namespace bench
