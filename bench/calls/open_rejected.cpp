// SPDX-License-Identifier: MIT
// Calls that an open breaker rejects.
#include <memory>

#include "calls/families.hpp"
#include "support/cases.hpp"
#include "support/entries.hpp"
#include "support/floor.hpp"
#include "support/hand_written.hpp"
#include "support/rejected.hpp"
#include "support/subjects.hpp"

namespace bench {
namespace {

template <class Clock>
void addClock(const ClockCase<Clock>& clock, const ThreadCounts& threads) {
    addRejections({.what = "open rejected", .policy = kInARow.name}, clock.name, threads,
                  fusebox::CircuitState::Open, [] {
                      auto guarded = std::make_unique<Guarded<Clock, fusebox::ConsecutiveFailures>>(
                          kInARow.policy, fusebox::CircuitBreakerOptions{.recoveryTimeout = 1h});
                      guarded->breaker.open();
                      return guarded;
                  });
}

void addHandWritten() {
    hand_written::forEach([]<class Breaker>(std::type_identity<Breaker>, const char* by) {
        const auto make = [] {
            auto breaker = std::make_unique<Breaker>();
            breaker->open();
            return breaker;
        };
        const auto stayedOpen = hand_written::stayed(true);
        CaseName name{.what = "open rejected", .by = by, .entry = "permit"};
        name.floor = floors::rejection(kSteady.name);
        add(
            name, kManyThreads, make,
            [](Breaker& breaker) { benchmark::DoNotOptimize(breaker.admit()); }, stayedOpen);
        name.entry = "exception";
        name.floor = floors::kThrow;
        add(
            name, kManyThreads, make,
            [](Breaker& breaker) {
                try {
                    benchmark::DoNotOptimize(hand_written::execute(breaker, kWork));
                } catch (const std::exception& error) {
                    benchmark::DoNotOptimize(&error);
                }
            },
            stayedOpen);
    });
}

}  // namespace

void addOpenRejected() {
    forEachClock([](const auto& clock) {
        addClock(clock, clock.name == kSteady.name ? kManyThreads : kOneAndTwo);
    });
    addHandWritten();
}

}  // namespace bench
