// SPDX-License-Identifier: MIT
// Successful calls through a closed breaker.
#include <memory>
#include <string>

#include "calls/families.hpp"
#include "support/cases.hpp"
#include "support/entries.hpp"
#include "support/floor.hpp"
#include "support/hand_written.hpp"
#include "support/subjects.hpp"
#include "support/work.hpp"

namespace bench {
namespace {

const auto allSucceeded = counted(fusebox::CircuitState::Closed,
                                  &fusebox::CircuitBreakerStats::totalSuccesses, breakerOf);

template <class Clock, class Policy>
CaseName nameOf(const ClockCase<Clock>& clock, const PolicyCase<Policy>& policy,
                Measuring measuring, const std::string& entry) {
    const bool byPermit = entry == ByPermit::kEntry;
    return {.what = "closed success",
            .policy = policy.name,
            .clock = clock.name,
            .options = bench::nameOf(measuring),
            .entry = entry,
            .floor = byPermit ? floors::ofPermit(measuring, clock.name)
                              : floors::ofSuccess(policy.senses, measuring, clock.name)};
}

template <class Entry, class Clock, class Policy, class Fn>
void addCase(const ClockCase<Clock>& clock, const PolicyCase<Policy>& policy, Measuring measuring,
             Fn fn, const ThreadCounts& threads, const char* entry = Entry::kEntry) {
    add(
        nameOf(clock, policy, measuring, entry), threads,
        [=] {
            return std::make_unique<Guarded<Clock, Policy>>(policy.policy, optionsFor(measuring));
        },
        [=](auto& guarded) { Entry::call(guarded.breaker, fn); }, allSucceeded);
}

void addPolicies() {
    forEachPolicy([](const auto& policy) {
        const auto addOne = [&](Measuring measuring) {
            addCase<Execute>(kSteady, policy, measuring, kWork, kManyThreads);
        };
        addOne(Measuring::Latency);
        addOne(Measuring::Overdue);
        if (policy.senses == Senses::Latency) return;
        addOne(Measuring::Nothing);
        addOne(Measuring::InFlight);
    });
}

void addClocks() {
    forEachClock([](const auto& clock) {
        if (clock.name == kSteady.name) return;  // With the policies.
        for (const Measuring measuring : {Measuring::Nothing, Measuring::Latency}) {
            addCase<Execute>(clock, kInARow, measuring, kWork, kOneAndTwo);
            addCase<Execute>(clock, kRateOfTime, measuring, kWork, kOneAndTwo);
        }
    });
}

void addSubscriber(Measuring measuring) {
    add(
        nameOf(kSteady, kInARow, measuring, "subscriber"), kManyThreads,
        [=] {
            auto guarded =
                std::make_unique<Guarded<std::chrono::steady_clock, fusebox::ConsecutiveFailures>>(
                    kInARow.policy, optionsFor(measuring));
            guarded->subscription = guarded->breaker.on<fusebox::CallSucceeded>(
                [](const fusebox::CallSucceeded& event) { benchmark::DoNotOptimize(&event); });
            return guarded;
        },
        [](auto& guarded) { Execute::call(guarded.breaker, kWork); }, allSucceeded);
}

void addEntries() {
    for (const Measuring measuring : {Measuring::Nothing, Measuring::Latency}) {
        addCase<ByPermit>(kSteady, kInARow, measuring, kWork, kManyThreads);
        addCase<WithFallback>(kSteady, kInARow, measuring, kWork, kManyThreads);
        addCase<Execute>(kSteady, kInARow, measuring, kReply, kManyThreads, "result type");
        addSubscriber(measuring);
    }
}

void addHandWritten() {
    hand_written::forEach([]<class Breaker>(std::type_identity<Breaker>, const char* by) {
        add(
            {.what = "closed success", .by = by, .floor = floors::kPlain}, kManyThreads,
            [] { return std::make_unique<Breaker>(); },
            [](Breaker& breaker) {
                benchmark::DoNotOptimize(hand_written::execute(breaker, kWork));
            },
            hand_written::stayed(false));
    });
}

}  // namespace

void addClosedSuccess() {
    addPolicies();
    addClocks();
    addEntries();
    addHandWritten();
}

}  // namespace bench
