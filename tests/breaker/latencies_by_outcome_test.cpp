// SPDX-License-Identifier: MIT
// What of the statistics is there for metrics: latencies by outcome, transitions, window and score.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/policy/any_trip_policy.hpp"
#include "support/catch.hpp"
#include "support/other_thread.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Rig;
using std::chrono::nanoseconds;

namespace {

/// How many calls a distribution has in each step between two bounds, as one number a step.
std::uint64_t between(const LatencyDistribution& latencies, nanoseconds above, nanoseconds upTo) {
    std::uint64_t below = 0;
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < LatencyDistribution::kBounds; ++i) {
        if (LatencyDistribution::bound(i) <= above) below = latencies.atMost[i];
        if (LatencyDistribution::bound(i) <= upTo) all = latencies.atMost[i];
    }
    return all - below;
}

}  // namespace

TEST_CASE("Bounds double, from 16 microseconds to above a minute") {
    CHECK(LatencyDistribution::bound(0) == 16'383ns);
    CHECK(LatencyDistribution::bound(LatencyDistribution::kBounds - 1) == 68'719'476'735ns);
    for (std::size_t i = 1; i < LatencyDistribution::kBounds; ++i) {
        CHECK(LatencyDistribution::bound(i) == LatencyDistribution::bound(i - 1) * 2 + 1ns);
    }
}

TEST_CASE("Latencies are told apart by outcome once someone asks") {
    Rig rig{{.requestTimeout = 20s}, ConsecutiveFailures{100}};
    CHECK(rig.stats().latencies == LatenciesByOutcome{.known = true});
    for (int i = 0; i < 3; ++i) rig.take(1ms);
    for (int i = 0; i < 2; ++i) rig.take(100ms, Outcome::Failure);
    rig.take(30s);  // Late: a timeout.
    rig.take(2s, Outcome::Ignored);
    { const auto cancelled = rig.begin(); }

    const LatenciesByOutcome by = rig.stats().latencies;
    CHECK(by.successes.calls == 3);
    CHECK(by.successes.sum == 3ms);
    CHECK(by.successes.max == 1ms);
    CHECK(between(by.successes, 0ns, 1s) == 3);
    CHECK(by.failures.calls == 3);
    CHECK(by.failures.sum == 30'200ms);
    CHECK(by.failures.max == 30s);
    CHECK(between(by.failures, 10ms, 200ms) == 2);
    CHECK(between(by.failures, 1s, 60s) == 1);
    CHECK(by.ignored.calls == 1);
    CHECK(by.ignored.sum == 2s);
    CHECK(by.ignored.max == 2s);
}

TEST_CASE("Latencies of all calls are the same, told apart or not") {
    const auto work = [](Rig<>& rig) {
        for (int i = 1; i <= 100; ++i) {
            rig.take(i * 1ms, i % 3 == 0 ? Outcome::Failure : Outcome::Success);
        }
        rig.take(1h, Outcome::Ignored);
    };
    const CircuitBreakerOptions options{.requestTimeout = kForever};
    Rig together{options, ConsecutiveFailures{1000}};
    Rig apart{options, ConsecutiveFailures{1000}};
    (void)apart.stats();
    work(together);
    work(apart);
    CHECK(apart.stats().latency == together.stats().latency);
    CHECK(apart.stats().averageResponseTime == together.stats().averageResponseTime);
    CHECK(apart.stats().latencies.successes.calls == 67);
    CHECK(apart.stats().latencies.failures.calls == 33);
}

TEST_CASE("What ended before anyone asked is in no distribution") {
    Rig rig{{}, ConsecutiveFailures{100}};
    rig.take(1s);
    rig.take(1s, Outcome::Failure);
    CHECK(rig.stats().latencies.successes.calls == 0);
    CHECK(rig.stats().latency.max == 1s);
    rig.take(2s);
    rig.take(3s, Outcome::Failure);
    const CircuitBreakerStats stats = rig.stats();
    CHECK(stats.latencies.successes.calls == 1);
    CHECK(stats.latencies.successes.sum == 2s);
    CHECK(between(stats.latencies.successes, 1500ms, 3s) == 1);
    CHECK(stats.latencies.failures.calls == 1);
    CHECK(stats.averageResponseTime == 1750ms);
}

TEST_CASE("A value at a bound is counted by it, one beyond is not") {
    Rig rig{{.requestTimeout = kForever}};
    (void)rig.stats();
    rig.take(LatencyDistribution::bound(3));
    rig.take(LatencyDistribution::bound(3) + 1ns);
    const LatencyDistribution successes = rig.stats().latencies.successes;
    CHECK(successes.atMost[2] == 0);
    CHECK(successes.atMost[3] == 1);
    CHECK(successes.atMost[4] == 2);
    rig.take(5min);
    CHECK(rig.stats().latencies.successes.atMost.back() == 2);
    CHECK(rig.stats().latencies.successes.calls == 3);
}

TEST_CASE("A reset empties the distributions, and they go on") {
    Rig rig{{}, ConsecutiveFailures{100}};
    rig.take(1s);
    (void)rig.stats();
    rig.take(1s, Outcome::Failure);
    rig.take(1s, Outcome::Ignored);
    rig.breaker.reset();
    CHECK(rig.stats().latencies == LatenciesByOutcome{.known = true});
    rig.take(2s);
    rig.take(2s, Outcome::Failure);
    CHECK(rig.stats().latencies.successes.calls == 1);
    CHECK(rig.stats().latencies.failures.calls == 1);
}

TEST_CASE("Who asks by outcome at the same time as another forgets nothing of what it was told") {
    using fusebox::test::HookedMutex;
    HookedMutex::reset();
    HookedMutex mutex;
    detail::CallTotals<fusebox::test::HookedPlatform> totals{{}, mutex};
    HookedMutex::before = [&] {
        totals.tellOutcomesApart();
        totals.countTime({.outcome = Outcome::Failure, .measured = true, .elapsed = 1s});
    };
    totals.tellOutcomesApart();
    CircuitBreakerStats stats;
    totals.fill(stats);
    CHECK(stats.latencies.failures.calls == 1);
}

TEST_CASE("Without latencies there are no distributions, and with them since a reconfiguration") {
    Rig rig{{.measureLatency = false}, ConsecutiveFailures{100}};
    (void)rig.stats();
    rig.take(1s, Outcome::Failure);
    CHECK(rig.stats().latencies == LatenciesByOutcome{});
    rig.breaker.reconfigure(CircuitBreakerOptions{});
    (void)rig.stats();
    rig.take(1s, Outcome::Failure);
    CHECK(rig.stats().latencies.failures.calls == 1);
}

TEST_CASE("More calls than a bucket's 16 bits are counted, whatever their outcome") {
    Rig rig{{}, ConsecutiveFailures{1'000'000}};
    (void)rig.stats();
    rig.fail(100'000);
    rig.ignore(100'000);
    CHECK(rig.stats().latencies.failures.calls == 100'000);
    CHECK(rig.stats().latencies.ignored.atMost[0] == 100'000);
}

TEST_CASE("Every transition is counted by where it led from and to") {
    Rig rig{{.recoveryTimeout = 10s, .successThreshold = 1}};
    const auto counts = [&] { return rig.stats().transitions; };
    CHECK(counts() == TransitionCounts{});
    rig.trip();
    CHECK(counts() == TransitionCounts{.closedToOpen = 1});
    rig.wait();
    rig.fail();
    CHECK(counts() ==
          TransitionCounts{.closedToOpen = 1, .openToHalfOpen = 1, .halfOpenToOpen = 1});
    rig.wait();
    rig.succeed();
    CHECK(counts() ==
          TransitionCounts{
              .closedToOpen = 1, .openToHalfOpen = 2, .halfOpenToOpen = 1, .halfOpenToClosed = 1});
    rig.breaker.open();
    rig.breaker.close();
    CHECK(counts() == TransitionCounts{.closedToOpen = 2,
                                       .openToHalfOpen = 2,
                                       .halfOpenToOpen = 1,
                                       .halfOpenToClosed = 1,
                                       .openToClosed = 1});
    rig.breaker.reset();
    CHECK(counts() == TransitionCounts{});
}

TEST_CASE("A transition is counted when it is made, not when it is due") {
    Rig rig{{.recoveryTimeout = 10s, .probeTimeout = 5s}};
    rig.trip();
    rig.clock.advance(11s);
    CHECK(rig.state() == CircuitState::HalfOpen);
    CHECK(rig.stats().transitions == TransitionCounts{.closedToOpen = 1});
    const auto probe = rig.begin();
    CHECK(rig.stats().transitions.openToHalfOpen == 1);
    rig.clock.advance(6s);
    // A lost probe reopens as of the end of its time, as timesOpened says, too.
    CHECK(rig.stats().timesOpened == 2);
    CHECK(rig.stats().transitions.halfOpenToOpen == 1);
}

TEST_CASE("Transitions go on from an exported state, as timesOpened does") {
    Rig rig{{.recoveryTimeout = 10s, .successThreshold = 1}};
    rig.trip();
    rig.wait();
    rig.succeed();
    rig.trip();
    const CircuitBreaker restored{
        "rig", ConsecutiveFailures{}, {}, rig.clock, rig.breaker.exportState()};
    CHECK(restored.stats().timesOpened == 2);
    CHECK(restored.stats().transitions == rig.stats().transitions);
}

TEST_CASE("A snapshot of a transition counts those before it") {
    Rig rig;
    TransitionCounts seen{.closedToOpen = 99};
    const auto subscription = rig.breaker.template on<StateChanged>(
        [&](const StateChanged& event) { seen = event.snapshot.transitions; });
    rig.trip();
    CHECK(seen == TransitionCounts{});
    rig.breaker.close();
    CHECK(seen == TransitionCounts{.closedToOpen = 1});
}

TEST_CASE("A window of calls has a size, any other has none") {
    const auto size = [](const auto& policy) {
        return CircuitBreaker{"sized", policy}.stats().windowSize;
    };
    CHECK(size(FailureRate{.window = lastCalls(30)}) == 30U);
    CHECK(size(SlowCallRate{.window = lastCalls(40)}) == 40U);
    CHECK(size(FailureCount{.window = lastCalls(50)}) == 50U);
    CHECK_FALSE(size(FailureRate{.window = 30s}));
    CHECK_FALSE(size(FailureCount{.window = 30s}));
    CHECK_FALSE(size(ConsecutiveFailures{}));
    CHECK_FALSE(size(Cusum{}));
    CHECK(size(AnyTripPolicy{FailureRate{.window = lastCalls(60)}}) == 60U);
    CHECK(size(anyOf(Cusum{}, FailureRate{.window = lastCalls(70)}, FailureRate{})) == 70U);
    CHECK_FALSE(size(anyOf(FailureRate{.window = 30s}, FailureRate{})));
    CHECK(size(AnyTripPolicy{allOf(Cusum{}, FailureRate{.window = lastCalls(80)})}) == 80U);
}

TEST_CASE("A score is a share of the one that trips: other policies keep none") {
    Rig rig{{}, Cusum{}};
    REQUIRE(rig.stats().policyScore);
    CHECK(*rig.stats().policyScore == 0.0);
    rig.fail();
    const double afterOne = *rig.stats().policyScore;
    CHECK(afterOne > 0.1);
    CHECK(afterOne < 1.0);
    rig.succeed();
    CHECK(*rig.stats().policyScore < afterOne);
    rig.succeed(1000);
    CHECK(*rig.stats().policyScore == 0.0);
    double last = 0.0;
    while (rig.state() == CircuitState::Closed) {
        last = *rig.stats().policyScore;
        rig.fail();
    }
    CHECK(last > 0.5);
    CHECK(last < 1.0);
    CHECK_FALSE(rig.stats().policyScore);
    rig.breaker.close();
    CHECK(*rig.stats().policyScore == 0.0);

    CHECK_FALSE(CircuitBreaker{"other"}.stats().policyScore);
    CHECK_FALSE(CircuitBreaker("other", AnyTripPolicy{FailureRate{}}).stats().policyScore);
    CHECK(CircuitBreaker("any", AnyTripPolicy{Cusum{}}).stats().policyScore == 0.0);
    CHECK(CircuitBreaker("some", anyOf(FailureRate{}, Cusum{})).stats().policyScore == 0.0);
}
