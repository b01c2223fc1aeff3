// SPDX-License-Identifier: MIT
// Calls that are overdue while they end: each counts in the window once, as the one or the other.
#include <array>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "stress/load.hpp"
#include "stress/yielding_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox::test;
using fusebox::ReportResult;

namespace {

constexpr fusebox::ConsecutiveFailures kNeverTrips{1'000'000'000};
// Fewer shards than callers, so that both kinds of race are run.
const fusebox::CircuitBreakerOptions kWatching{
    .requestTimeout = 1600ns, .trackInFlight = true, .shards = 2, .detectOverdue = true};

/// Holds some permits, each for some while.
template <class Breaker>
class SlowCaller {
public:
    SlowCaller(Breaker& breaker, ManualClock clock, std::uint64_t seed)
        : breaker_(breaker), clock_(std::move(clock)), random_(seed) {}

    void callOnce() {
        clock_.advance(std::chrono::nanoseconds{random_.below(100)});
        auto& held = held_[random_.below(held_.size())];
        if (held) {
            report(held);
        } else {
            held = breaker_.tryAcquire();
        }
    }
    void reportAll() {
        for (auto& held : held_) {
            if (held) report(held);
        }
    }
    std::uint64_t reported = 0;
    std::uint64_t notRecorded = 0;

private:
    template <class Permit>
    void report(Permit& held) {
        const auto result = random_.oneIn(16) ? held.failure() : held.success();
        ++reported;
        notRecorded += result != ReportResult::Recorded;
    }

    Breaker& breaker_;
    ManualClock clock_;
    Random random_;
    std::array<typename Breaker::Permit, 8> held_{};
};

template <class Breaker>
void countsEachCallOnce(Breaker& breaker, const ManualClock& clock, std::uint64_t calls) {
    constexpr int kCallers = 3;
    std::vector<SlowCaller<Breaker>> callers;
    for (std::uint64_t i = 0; i < kCallers; ++i) callers.emplace_back(breaker, clock, i + 1);
    std::vector<std::thread> threads;
    for (auto& caller : callers) {
        threads.emplace_back([&] {
            for (std::uint64_t i = 0; i < calls; ++i) caller.callOnce();
            caller.reportAll();
        });
    }
    for (auto& thread : threads) thread.join();

    std::uint64_t reported = 0;
    std::uint64_t notRecorded = 0;
    for (const auto& caller : callers) {
        reported += caller.reported;
        notRecorded += caller.notRecorded;
    }
    const auto stats = breaker.stats();
    CHECK(notRecorded == 0);
    CHECK(stats.totalCalls == reported);
    CHECK(stats.windowCalls == reported);
    CHECK(stats.inFlight == 0U);
    CHECK(stats.totalSuccesses > 0);
    CHECK(stats.windowFailures > stats.totalFailures);
    // Some were overdue and ended as something else than a timeout, or were none: never fewer.
    CHECK(stats.windowFailures >= stats.totalTimeouts + stats.totalFailures);
}

}  // namespace

TEST_CASE("Calls that are overdue while they end count once") {
    const ManualClock clock;
    fusebox::CircuitBreaker breaker{"overdue", kNeverTrips, kWatching, clock};
    countsEachCallOnce(breaker, clock, scaled(2'000'000));
    YieldingBreaker<fusebox::ConsecutiveFailures> interrupted{kNeverTrips, kWatching, clock};
    countsEachCallOnce(interrupted, clock, scaled(400'000));
}
