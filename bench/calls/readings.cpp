// SPDX-License-Identifier: MIT
// Reading a breaker: its state, and the snapshot of its statistics.
#include <memory>
#include <stdexcept>

#include "calls/families.hpp"
#include "support/cases.hpp"
#include "support/entries.hpp"
#include "support/subjects.hpp"
#include "support/work.hpp"

namespace bench {
namespace {

using Fixture = Guarded<std::chrono::steady_clock, fusebox::ConsecutiveFailures>;

/// A breaker with default options and some past.
std::unique_ptr<Fixture> closedBreaker() {
    auto guarded = std::make_unique<Fixture>(kInARow.policy,
                                             fusebox::CircuitBreakerOptions{.recoveryTimeout = 1h});
    for (int i = 0; i < 100; ++i)
        Execute::call(guarded->breaker, i % 10 == 0 ? failedReply : reply);
    return guarded;
}
std::unique_ptr<Fixture> openBreaker() {
    auto guarded = closedBreaker();
    for (int i = 0; i < kInARow.policy.threshold; ++i) {
        Execute::call(guarded->breaker, kFailedReply);
    }
    return guarded;
}

Finding isClosed(Fixture& fixture, std::uint64_t) {
    return fixture.breaker.state() == fusebox::CircuitState::Closed ? Finding{} : "not closed";
}
Finding isOpen(Fixture& fixture, std::uint64_t) {
    return fixture.breaker.isOpen() ? Finding{} : "not open";
}

template <class Make, class Check>
void addBoth(const char* what, Make make, Check check) {
    CaseName name{.what = what, .policy = kInARow.name, .clock = kSteady.name};
    name.entry = "state()";
    add(
        name, kOneAndTwo, make,
        [](Fixture& fixture) { benchmark::DoNotOptimize(fixture.breaker.state()); }, check);
    name.entry = "stats()";
    add(
        name, kOneAndTwo, make,
        [](Fixture& fixture) { benchmark::DoNotOptimize(fixture.breaker.stats()); }, check);
}

}  // namespace

void addReadings() {
    addBoth("read closed", closedBreaker, isClosed);
    addBoth("read open", openBreaker, isOpen);
}

}  // namespace bench
