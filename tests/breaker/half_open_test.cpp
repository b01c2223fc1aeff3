// SPDX-License-Identifier: MIT
// The half-open state: a few probes, and what they decide.
#include <chrono>
#include <stdexcept>
#include <utility>
#include <vector>

#include "breaker/rig.hpp"
#include "breaker/transition_log.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Lines;
using fusebox::test::Rig;
using fusebox::test::TransitionLog;

TEST_CASE("An open breaker admits its first probe when the wait is over, not before") {
    Rig rig{{.recoveryTimeout = 10s}};
    rig.trip();
    rig.clock.advance(10s - 1ns);
    CHECK(rig.state() == CircuitState::Open);
    CHECK(rig.rejected().retryAfter == 1ns);
    rig.clock.advance(1ns);
    CHECK(rig.state() == CircuitState::HalfOpen);
    CHECK_FALSE(rig.breaker.retryAfter());
    CHECK(rig.begin().success() == ReportResult::Recorded);
}

TEST_CASE("Asking for the state moves nothing: the transition waits for a call") {
    Rig rig;
    TransitionLog log{rig.breaker};
    rig.trip();
    rig.wait();
    CHECK(rig.state() == CircuitState::HalfOpen);
    CHECK(rig.stats().state == CircuitState::HalfOpen);
    CHECK(log.lines() == Lines{"CLOSED > OPEN: POLICY_TRIPPED"});
    (void)rig.begin();
    CHECK(log.lines() == Lines{"OPEN > HALF_OPEN: WAIT_ELAPSED"});
}

TEST_CASE("At most halfOpenLimit probes are in flight, callers beyond are rejected") {
    for (const int limit : {1, 2, 3, 64, 255}) {
        Rig rig{{.halfOpenLimit = limit}};
        rig.reachHalfOpen();
        auto probes = rig.begin(limit);
        CHECK(rig.stats().probesInFlight == limit);
        for (int i = 0; i < 3; ++i) {
            CHECK(rig.rejected().reason == RejectionReason::ProbesBusy);
        }
        // One that ends makes room for one.
        CHECK(probes.back().ignore() == ReportResult::Recorded);
        CHECK(rig.stats().probesInFlight == limit - 1);
        probes.back() = rig.begin();
        CHECK(rig.rejected().state == CircuitState::HalfOpen);
    }
}

TEST_CASE("successThreshold successes close the breaker, one after the other or at once") {
    for (const int threshold : {1, 2, 5}) {
        Rig rig{{.successThreshold = threshold, .halfOpenLimit = 2}};
        rig.reachHalfOpen();
        for (int i = 0; i < threshold; ++i) {
            CHECK(rig.state() == CircuitState::HalfOpen);
            CHECK(rig.stats().consecutiveSuccesses == static_cast<std::uint64_t>(i));
            CHECK(rig.stats().consecutiveFailures == (i == 0 ? 5 : 0));
            CHECK(rig.succeed() == ReportResult::Recorded);
        }
        CHECK(rig.state() == CircuitState::Closed);
        CHECK(rig.stats().timesClosed == 1);
        CHECK(rig.stats().probesInFlight == 0);
    }
}

TEST_CASE("Probes in flight when the breaker closes are stale") {
    Rig rig{{.successThreshold = 1, .halfOpenLimit = 3}};
    rig.reachHalfOpen();
    auto probes = rig.begin(3);
    CHECK(probes[0].success() == ReportResult::Recorded);
    CHECK(rig.state() == CircuitState::Closed);
    CHECK(probes[1].failure() == ReportResult::Stale);
    CHECK(probes[2].success() == ReportResult::Stale);
    CHECK(rig.state() == CircuitState::Closed);
    CHECK(rig.stats().windowCalls == 0);
    CHECK(rig.stats().probesInFlight == 0);
}

TEST_CASE("One failure or timeout reopens, whatever succeeded before") {
    for (const Outcome outcome : {Outcome::Failure, Outcome::Timeout}) {
        Rig rig{{.recoveryTimeout = 10s, .successThreshold = 3}};
        TransitionLog log{rig.breaker};
        rig.reachHalfOpen();
        rig.succeed(2);
        (void)log.lines();
        CHECK(rig.begin().report(outcome) == ReportResult::Recorded);
        CHECK(rig.state() == CircuitState::Open);
        CHECK(rig.breaker.retryAfter() == 10s);
        CHECK(log.lines() == Lines{"HALF_OPEN > OPEN: PROBE_FAILED"});
        // The successes of the last attempt do not help the next one.
        rig.wait();
        rig.succeed(2);
        CHECK(rig.state() == CircuitState::HalfOpen);
        rig.succeed();
        CHECK(rig.state() == CircuitState::Closed);
    }
}

TEST_CASE("A probe that throws through execute reopens, a late one too") {
    Rig rig{{.recoveryTimeout = 10s, .probeTimeout = 1h, .requestTimeout = 2s}};
    rig.reachHalfOpen();
    CHECK_THROWS_AS(rig.breaker.execute([] { throw std::runtime_error{"still sick"}; }),
                    std::runtime_error);
    CHECK(rig.state() == CircuitState::Open);
    CHECK(rig.stats().lastError == "still sick");
    rig.wait();
    CHECK(rig.breaker.execute([&] {
        rig.clock.advance(3s);
        return 4;
    }) == 4);
    CHECK(rig.state() == CircuitState::Open);
    CHECK(rig.stats().totalTimeouts == 1);
    CHECK(rig.stats().totalStale == 0);
}

TEST_CASE("A slow probe reopens if the policy decides on slowness") {
    Rig rig{{}, SlowCallRate{.slowerThan = 1s, .minimumCalls = 1}};
    TransitionLog log{rig.breaker};
    rig.take(1s);
    rig.wait();
    CHECK(rig.take(1s - 1ns) == ReportResult::Recorded);
    CHECK(rig.state() == CircuitState::HalfOpen);
    CHECK(rig.take(1s) == ReportResult::Recorded);
    CHECK(rig.state() == CircuitState::Open);
    CHECK(log.lines().back() == "HALF_OPEN > OPEN: PROBE_FAILED");
    CHECK(rig.stats().totalSuccesses == 3);
}

TEST_CASE("Without a policy on slowness a slow probe is a success like any other") {
    Rig rig{{.successThreshold = 1, .probeTimeout = 1h, .requestTimeout = kForever}};
    rig.reachHalfOpen();
    rig.take(59min);
    CHECK(rig.state() == CircuitState::Closed);
    CHECK(rig.stats().totalSlow == 0);
}

TEST_CASE("A slow probe that was ignored decides nothing") {
    Rig rig{{}, SlowCallRate{.slowerThan = 1s, .minimumCalls = 1}};
    rig.take(2s);
    rig.wait();
    rig.take(2s, Outcome::Ignored);
    CHECK(rig.state() == CircuitState::HalfOpen);
    CHECK(rig.stats().probesInFlight == 0);
}

TEST_CASE("A half-open breaker without probes in flight waits for ever") {
    Rig rig{{.recoveryTimeout = 10s, .probeTimeout = 5s}};
    rig.reachHalfOpen();
    rig.succeed();
    for (int i = 0; i < 100; ++i) {
        rig.clock.advance(24h);
        CHECK(rig.state() == CircuitState::HalfOpen);
    }
    CHECK(rig.stats().timesOpened == 1);
    // What had been achieved still counts.
    rig.succeed();
    CHECK(rig.state() == CircuitState::Closed);
}

TEST_CASE("A breaker that nobody called while its wait was over is half-open, not closed") {
    Rig rig{{.recoveryTimeout = 10s}};
    rig.trip();
    rig.clock.advance(24h * 365);
    CHECK(rig.state() == CircuitState::HalfOpen);
    rig.fail();
    CHECK(rig.state() == CircuitState::Open);
    CHECK(rig.breaker.retryAfter() == 10s);
}

TEST_CASE("Half-open can be left by more successes than fit at once") {
    Rig rig{{.successThreshold = 100, .halfOpenLimit = 1}};
    rig.reachHalfOpen();
    rig.succeed(99);
    CHECK(rig.state() == CircuitState::HalfOpen);
    rig.succeed();
    CHECK(rig.state() == CircuitState::Closed);
}

TEST_CASE("The cycle runs again and again, and starts with an empty window each time") {
    Rig rig{{.recoveryTimeout = 10s}, FailureRate{.minimumCalls = 4, .window = lastCalls(8)}};
    for (std::uint64_t round = 1; round <= 5; ++round) {
        rig.succeed(3);
        rig.fail(2);
        CHECK(rig.state() == CircuitState::Closed);
        rig.trip();
        CHECK(rig.stats().windowCalls == 6);
        CHECK(rig.stats().failureRate == 0.5);
        rig.wait();
        rig.recover();
        CHECK(rig.stats().windowCalls == 0);
        CHECK_FALSE(rig.stats().failureRate);
        CHECK(rig.stats().timesOpened == round);
        CHECK(rig.stats().timesClosed == round);
    }
}
