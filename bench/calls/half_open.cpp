// SPDX-License-Identifier: MIT
// Probes of a half-open breaker, and the callers that find them busy.
#include <chrono>
#include <memory>
#include <utility>

#include "calls/families.hpp"
#include "support/cases.hpp"
#include "support/entries.hpp"
#include "support/movable_clock.hpp"
#include "support/rejected.hpp"
#include "support/subjects.hpp"

namespace bench {
namespace {

using Probed = Guarded<MovableClock, fusebox::ConsecutiveFailures>;

constexpr auto kWait = std::chrono::hours{1};

/// A half-open breaker, and the clock that made it so.
struct HalfOpen : Probed {
    explicit HalfOpen(const fusebox::CircuitBreakerOptions& options, MovableClock given = {})
        : Probed({}, options, given), clock(std::move(given)) {
        becomeHalfOpen();
    }

    void becomeHalfOpen() {
        breaker.open();
        clock.moveOn(kWait + std::chrono::seconds{1});
    }

    MovableClock clock;
};

fusebox::CircuitBreakerOptions options() {
    return {.recoveryTimeout = kWait, .halfOpenLimit = 1, .measureLatency = false};
}

/// A breaker that stays half-open, though its probes succeed.
struct StaysHalfOpen : HalfOpen {
    // As many successes as may be asked for.
    static constexpr int kSuccessThreshold = 65'535;

    using HalfOpen::HalfOpen;

    /// Once a probe. Begins again before the breaker closes: too seldom to show in the average.
    void keepHalfOpen() {
        if (--left_ > 0) [[likely]]
            return;
        becomeHalfOpen();
        left_ = kProbes;
    }

private:
    static constexpr int kProbes = kSuccessThreshold - 1;

    int left_ = kProbes;
};

/// A successful probe: admission, call, report.
void addProbe() {
    add(
        {.what = "half-open probe",
         .policy = kInARow.name,
         .clock = kSteady.name,
         .entry = "execute"},
        kOneThread,
        [] {
            auto given = options();
            given.successThreshold = StaysHalfOpen::kSuccessThreshold;
            return std::make_unique<StaysHalfOpen>(given);
        },
        [](StaysHalfOpen& fixture) {
            Execute::call(fixture.breaker, kWork);
            fixture.keepHalfOpen();
        },
        counted(fusebox::CircuitState::HalfOpen, &fusebox::CircuitBreakerStats::totalSuccesses,
                breakerOf));
}

/// The whole way round: opened by hand, half-open after the wait, closed by one probe.
void addCycle() {
    add(
        {.what = "half-open cycle",
         .policy = kInARow.name,
         .clock = kSteady.name,
         .entry = "execute"},
        kOneThread,
        [] {
            auto given = options();
            given.successThreshold = 1;
            return std::make_unique<HalfOpen>(given);
        },
        [](HalfOpen& fixture) {
            Execute::call(fixture.breaker, kWork);
            fixture.becomeHalfOpen();
        },
        counted(fusebox::CircuitState::HalfOpen, &fusebox::CircuitBreakerStats::timesClosed,
                breakerOf));
}

void addBusy() {
    addRejections({.what = "half-open busy", .policy = kInARow.name}, kSteady.name, kManyThreads,
                  fusebox::CircuitState::HalfOpen, [] {
                      auto given = options();
                      given.probeTimeout = kWait;
                      auto fixture = std::make_unique<HalfOpen>(given);
                      fixture->held = fixture->breaker.tryAcquire();
                      return fixture;
                  });
}

}  // namespace

void addHalfOpen() {
    addProbe();
    addCycle();
    addBusy();
}

}  // namespace bench
