// SPDX-License-Identifier: MIT
// One behaviour, whatever the policy and the clock.
#include <chrono>
#include <optional>
#include <string>
#include <type_traits>

#include "breaker/conservation.hpp"
#include "breaker/policy_cases.hpp"
#include "breaker/rig.hpp"
#include "breaker/transition_log.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;

namespace {

/// What needs no time to pass, and so holds on a real clock, too.
template <class Clock, class Policy>
void behavesWithoutTime(const Policy& policy, const CircuitBreakerOptions& options) {
    CircuitBreaker<Clock, Policy> breaker{"suite", policy, options};
    const auto stats = [&] {
        const CircuitBreakerStats snapshot = breaker.stats();
        checkConservation(snapshot);
        return snapshot;
    };
    // Healthy calls never trip, nor do neutral ones.
    for (int i = 0; i < 20; ++i) CHECK(healthyCall(breaker) == ReportResult::Recorded);
    for (int i = 0; i < 20; ++i) breaker.tryAcquire().ignore();
    for (int i = 0; i < 20; ++i) (void)breaker.tryAcquire().rejection();
    CHECK(breaker.state() == CircuitState::Closed);
    CHECK(stats().consecutiveSuccesses == 20);
    CHECK(stats().totalCancelled == 20);
    // An empty window, so that what follows is the same for every policy.
    breaker.reset();
    CHECK(stats().totalCalls == 0);
    // The third sick call trips, and only that.
    auto overhanging = breaker.tryAcquire();
    CHECK(sickCall(breaker) == ReportResult::Recorded);
    CHECK(sickCall(breaker) == ReportResult::Recorded);
    CHECK(breaker.state() == CircuitState::Closed);
    CHECK(sickCall(breaker) == ReportResult::Recorded);
    CHECK(breaker.state() == CircuitState::Open);
    CHECK(stats().timesOpened == 1);
    CHECK(stats().consecutiveFailures == 3);
    CHECK(stats().lastTrip->reason == TransitionReason::PolicyTripped);
    // Open: everything is rejected, late reports are stale.
    CHECK_FALSE(breaker.tryAcquire());
    CHECK_THROWS_AS(breaker.execute([] { FAIL("called"); }), CircuitOpenError);
    CHECK(breaker.execute([] { return 1; }, fallback([] { return 2; })) == 2);
    CHECK(overhanging.success() == ReportResult::Stale);
    CHECK(stats().totalRejected == 3);
    CHECK(breaker.retryAfter().value() <= 1h);
    CHECK(breaker.retryAfter().value() > 59min);
    // Closed by hand: the window is empty again.
    breaker.close();
    CHECK(sickCall(breaker) == ReportResult::Recorded);
    CHECK(sickCall(breaker) == ReportResult::Recorded);
    CHECK(breaker.state() == CircuitState::Closed);
    // What a forced mode admits is not for the policy to see.
    breaker.setMode(ControlMode::ForcedClosed);
    for (int i = 0; i < 10; ++i) CHECK(sickCall(breaker) == ReportResult::Recorded);
    breaker.setMode(ControlMode::Automatic);
    CHECK(breaker.state() == CircuitState::Closed);
    CHECK(sickCall(breaker) == ReportResult::Recorded);
    CHECK(breaker.state() == CircuitState::Open);
    CHECK(stats().timesOpened == 2);
    breaker.reset();
    CHECK(stats().timesOpened == 0);
    CHECK(breaker.execute([] { return 5; }) == 5);
}

/// The whole cycle, on a clock that the test moves.
template <class Policy>
void behavesInTime(const Policy& policy, CircuitBreakerOptions options) {
    options.recoveryTimeout = 10s;
    options.probeTimeout = 5s;
    Rig rig{options, policy};
    TransitionLog log{rig.breaker};
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 3; ++i) sickCall(rig.breaker);
        CHECK(rig.state() == CircuitState::Open);
        CHECK(rig.breaker.retryAfter() == 10s);
        const std::uint64_t window = rig.stats().windowCalls;
        CHECK(window == 3);
        rig.wait();
        sickCall(rig.breaker);
        CHECK(rig.state() == CircuitState::Open);
        rig.wait();
        const auto lost = rig.begin();
        CHECK(rig.stats().probesInFlight == 1);
        rig.clock.advance(5s + 1ns);
        CHECK(rig.state() == CircuitState::Open);
        rig.wait();
        CHECK(healthyCall(rig.breaker) == ReportResult::Recorded);
        CHECK(rig.state() == CircuitState::HalfOpen);
        CHECK(rig.stats().windowCalls == window);
        CHECK(healthyCall(rig.breaker) == ReportResult::Recorded);
        CHECK(rig.state() == CircuitState::Closed);
        CHECK(rig.stats().windowCalls == 0);
        CHECK(log.lines() ==
              Lines{"CLOSED > OPEN: POLICY_TRIPPED", "OPEN > HALF_OPEN: WAIT_ELAPSED",
                    "HALF_OPEN > OPEN: PROBE_FAILED", "OPEN > HALF_OPEN: WAIT_ELAPSED",
                    "HALF_OPEN > OPEN: PROBE_LOST", "OPEN > HALF_OPEN: WAIT_ELAPSED",
                    "HALF_OPEN > CLOSED: PROBES_SUCCEEDED"});
    }
    CHECK(rig.stats().timeOpen == 3 * 3 * 10s);
}

template <class T, class... Others>
constexpr bool isOneOf = (std::is_same_v<T, Others> || ...);

template <class Case>
void behaves(const CircuitBreakerOptions& options) {
    const auto policy = Case::policy();
    behavesWithoutTime<ManualClock>(policy, options);
    behavesWithoutTime<std::chrono::steady_clock>(policy, options);
    // One policy with a window of time, one without a window, and the one that can be any.
    if constexpr (isOneOf<Case, ByFailureRateInTime, ByConsecutiveFailures, ByAnyTripPolicy>) {
        behavesWithoutTime<CoarseSteadyClock>(policy, options);
    }
    behavesInTime(policy, options);
}

}  // namespace

TEMPLATE_TEST_CASE("A breaker behaves the same under every policy and on every clock", "",
                   ByConsecutiveFailures, ByFailureCountInTime, ByFailureCountInCalls,
                   ByFailureRateInCalls, ByFailureRateInTime, BySlowCallRate, ByCusum, ByAnyOf,
                   ByAllOf, ByAnyTripPolicy, ByOwnPolicy, ByOwnPolicyToldOfSuccesses) {
    behaves<TestType>({.recoveryTimeout = 1h});
    behaves<TestType>({.recoveryTimeout = 1h, .trackInFlight = true, .shards = 4});
    if constexpr (!std::is_same_v<TestType, BySlowCallRate> && !std::is_same_v<TestType, ByAnyOf> &&
                  !std::is_same_v<TestType, ByAnyTripPolicy>) {
        behaves<TestType>({.recoveryTimeout = 1h, .measureLatency = false});
    }
}

TEST_CASE("Each policy is asked only by its own kind of call") {
    // Slow successes concern SlowCallRate alone, fast failures everything else.
    Rig slowOnly{{}, BySlowCallRate::policy()};
    slowOnly.fail(50);
    CHECK(slowOnly.state() == CircuitState::Closed);
    slowOnly.take(2s);
    slowOnly.take(2s);
    slowOnly.take(2s);
    CHECK(slowOnly.state() == CircuitState::Open);
    Rig failuresOnly{{}, anyOf(ConsecutiveFailures{3}, FailureRate{.minimumCalls = 3})};
    for (int i = 0; i < 50; ++i) failuresOnly.take(20s);
    CHECK(failuresOnly.state() == CircuitState::Closed);
    CHECK(failuresOnly.stats().totalSlow == 0);
}

TEST_CASE("A slow success does not trip a failure policy that stands beside a slow-call policy") {
    Rig rig{{},
            anyOf(FailureRate{.threshold = 0.5, .minimumCalls = 4},
                  SlowCallRate{.slowerThan = 1s, .minimumCalls = 100})};
    rig.fail(3);   // 100 %, but too few calls
    rig.take(1s);  // 75 % of four: enough, but this call is no failure
    CHECK(rig.state() == CircuitState::Closed);
    CHECK(rig.stats().failureRate == 0.75);
    rig.fail();
    CHECK(rig.state() == CircuitState::Open);
}

TEST_CASE("Timeouts count as failures for every policy on failures") {
    const auto opensByTimeouts = [](auto policy) {
        Rig rig{{}, policy};
        for (int i = 0; i < 3; ++i) rig.begin().timeout();
        return rig.state() == CircuitState::Open;
    };
    CHECK(opensByTimeouts(ByConsecutiveFailures::policy()));
    CHECK(opensByTimeouts(ByFailureCountInTime::policy()));
    CHECK(opensByTimeouts(ByFailureRateInCalls::policy()));
    CHECK(opensByTimeouts(ByCusum::policy()));
}
