// SPDX-License-Identifier: MIT
// A probe in flight for longer than probeTimeout is presumed lost: the breaker is open again as of
// that instant, whether or not anybody calls.
#include <chrono>
#include <optional>
#include <utility>

#include "breaker/rig.hpp"
#include "breaker/transition_log.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Lines;
using fusebox::test::Rig;
using fusebox::test::TransitionLog;

namespace {

const CircuitBreakerOptions kLost5s{.recoveryTimeout = 10s, .halfOpenLimit = 2, .probeTimeout = 5s};

}  // namespace

TEST_CASE("A probe in flight for exactly probeTimeout is not lost, a tick longer is") {
    Rig rig{kLost5s};
    rig.reachHalfOpen();
    auto probe = rig.begin();
    rig.clock.advance(5s);
    CHECK(rig.state() == CircuitState::HalfOpen);
    CHECK_FALSE(rig.breaker.retryAfter());
    rig.clock.advance(1ns);
    CHECK(rig.state() == CircuitState::Open);
    CHECK(probe.success() == ReportResult::Stale);
}

TEST_CASE("A probe that reports at exactly probeTimeout counts") {
    Rig rig{kLost5s};
    rig.reachHalfOpen();
    rig.take(5s);
    CHECK(rig.stats().consecutiveSuccesses == 1);
    rig.take(5s);
    CHECK(rig.state() == CircuitState::Closed);
    CHECK(rig.stats().totalStale == 0);
}

TEST_CASE("The breaker is open as of the instant at which the probe was lost") {
    Rig rig{kLost5s};
    rig.reachHalfOpen();
    auto probe = rig.begin();
    rig.clock.advance(8s);  // lost 3 s ago, and nobody has called since
    CHECK(rig.state() == CircuitState::Open);
    CHECK(rig.breaker.isOpen());
    CHECK(rig.breaker.retryAfter() == 7s);
    CHECK(rig.rejected() == Rejection{"rig", CircuitState::Open, RejectionReason::Open, 7s});
    rig.clock.advance(7s);
    CHECK(rig.state() == CircuitState::HalfOpen);
    CHECK(probe.failure() == ReportResult::Stale);
    CHECK(rig.state() == CircuitState::HalfOpen);
}

TEST_CASE("A lost probe reopened when it was lost, also by the system's clock") {
    using std::chrono::system_clock;
    Rig rig{kLost5s};
    rig.reachHalfOpen();
    const auto probe = rig.begin();
    rig.clock.advance(5s + 1h);
    const auto before = system_clock::now();
    const CircuitBreakerStats stats = rig.stats();
    const auto after = system_clock::now();
    REQUIRE(stats.lastOpened);
    CHECK(*stats.lastOpened >= before - 1h);
    CHECK(*stats.lastOpened <= after - 1h);
    CHECK(stats.lastTrip.value().time == *stats.lastOpened);
}

TEST_CASE("Nobody calls for so long that the wait after a lost probe is over, too") {
    Rig rig{kLost5s};
    TransitionLog log{rig.breaker};
    rig.reachHalfOpen();
    auto probe = rig.begin();
    rig.clock.advance(5s + 10s);
    CHECK(rig.state() == CircuitState::HalfOpen);
    CHECK_FALSE(rig.breaker.retryAfter());
    (void)log.lines();
    auto next = rig.begin();
    CHECK(log.lines() == Lines{"HALF_OPEN > OPEN: PROBE_LOST", "OPEN > HALF_OPEN: WAIT_ELAPSED"});
    CHECK(probe.success() == ReportResult::Stale);
    CHECK(rig.stats().probesInFlight == 1);
    CHECK(rig.stats().consecutiveSuccesses == 0);
    CHECK(next.success() == ReportResult::Recorded);
}

TEST_CASE("The statistics say that a probe was lost before anyone calls") {
    Rig rig{kLost5s};
    rig.reachHalfOpen();
    rig.succeed();
    const auto probes = rig.begin(2);
    rig.clock.advance(8s);
    const CircuitBreakerStats before = rig.stats();
    CHECK(before.state == CircuitState::Open);
    CHECK(before.retryAfter == 7s);
    CHECK(before.timesOpened == 2);
    CHECK(before.timeOpen == 10s + 3s);
    CHECK(before.probesInFlight == 0);
    (void)rig.rejected();
    const CircuitBreakerStats after = rig.stats();
    CHECK(after.state == before.state);
    CHECK(after.retryAfter == before.retryAfter);
    CHECK(after.timesOpened == before.timesOpened);
    CHECK(after.timeOpen == before.timeOpen);
    CHECK(after.probesInFlight == before.probesInFlight);
}

TEST_CASE("What else the statistics say of a lost probe does not depend on whether anyone calls") {
    Rig rig{kLost5s};
    rig.reachHalfOpen();
    rig.succeed();
    const auto probe = rig.begin();
    rig.clock.advance(8s);
    const CircuitBreakerStats before = rig.stats();
    (void)rig.rejected();
    const CircuitBreakerStats after = rig.stats();
    CHECK(after.consecutiveSuccesses == before.consecutiveSuccesses);
    REQUIRE(after.lastTrip);
    REQUIRE(before.lastTrip);
    CHECK(after.lastTrip->reason == TransitionReason::ProbeLost);
    CHECK(before.lastTrip->reason == TransitionReason::ProbeLost);
    CHECK(after.lastTrip->wait == before.lastTrip->wait);
}

TEST_CASE("The time spent open ends when the wait after a lost probe is over") {
    Rig rig{kLost5s};
    rig.reachHalfOpen();
    const auto probe = rig.begin();
    rig.clock.advance(5s + 10s + 1h);
    CHECK(rig.stats().timeOpen == 10s + 10s);
    rig.ignore();
    CHECK(rig.stats().timeOpen == 10s + 10s);
}

TEST_CASE("The oldest probe in flight decides, one that ended in time is not missed") {
    Rig rig{kLost5s};
    rig.reachHalfOpen();
    auto first = rig.begin();
    rig.clock.advance(3s);
    auto second = rig.begin();
    rig.clock.advance(2s);
    CHECK(first.ignore() == ReportResult::Recorded);  // just in time
    rig.clock.advance(3s);
    CHECK(rig.state() == CircuitState::HalfOpen);
    auto third = rig.begin();
    rig.clock.advance(1ns);
    CHECK(rig.state() == CircuitState::Open);  // the second
    CHECK(third.success() == ReportResult::Stale);
    CHECK(second.success() == ReportResult::Stale);
}

TEST_CASE("Cancelling a probe ends its lease") {
    Rig rig{kLost5s};
    rig.reachHalfOpen();
    { const auto probe = rig.begin(); }
    rig.clock.advance(1h);
    CHECK(rig.state() == CircuitState::HalfOpen);
}

TEST_CASE("A report that finds its own probe lost reopens, and changes nothing else") {
    Rig rig{kLost5s};
    TransitionLog log{rig.breaker};
    rig.reachHalfOpen();
    auto probe = rig.begin();
    rig.clock.advance(6s);
    (void)log.lines();
    CHECK(probe.success() == ReportResult::Stale);
    CHECK(log.lines() == Lines{"HALF_OPEN > OPEN: PROBE_LOST"});
    CHECK(rig.breaker.retryAfter() == 9s);
    CHECK(rig.stats().totalStale == 1);
    CHECK(rig.stats().totalSuccesses == 1);
}

TEST_CASE("The snapshot of a lost probe's transition is of just before it") {
    Rig rig{kLost5s};
    TransitionLog log{rig.breaker};
    rig.reachHalfOpen();
    const auto probe = rig.begin();
    rig.clock.advance(6s);
    (void)rig.rejected();
    REQUIRE(log.events.size() == 3);
    const CircuitBreakerStats& before = log.events.back().snapshot;
    CHECK(before.state == CircuitState::HalfOpen);
    CHECK(before.timesOpened == 1);
    CHECK(before.timeOpen == 10s);
    CHECK(before.probesInFlight == 1);
}

TEST_CASE("Callers beyond the limit find out that a probe was lost") {
    Rig rig{{.recoveryTimeout = 10s, .halfOpenLimit = 1, .probeTimeout = 5s}};
    rig.reachHalfOpen();
    const auto probe = rig.begin();
    rig.clock.advance(5s);
    CHECK(rig.rejected().reason == RejectionReason::ProbesBusy);
    rig.clock.advance(1ns);
    CHECK(rig.rejected().reason == RejectionReason::Open);
}

TEST_CASE("A lost probe counts as a reopening for the backoff") {
    Rig rig{{.recoveryTimeout = 10s, .recoveryBackoff = 2.0, .probeTimeout = 5s}};
    rig.reachHalfOpen();
    auto probe = rig.begin();
    rig.clock.advance(5s + 1ns);
    CHECK(rig.breaker.retryAfter() == 20s - 1ns);
    rig.wait();
    probe = rig.begin();
    rig.clock.advance(5s + 1ns);
    CHECK(rig.breaker.retryAfter() == 40s - 1ns);
}

TEST_CASE("Unset, probeTimeout is requestTimeout if that is finite, else recoveryTimeout") {
    const auto lostAfter = [](const CircuitBreakerOptions& options) {
        Rig rig{options};
        rig.reachHalfOpen();
        const auto probe = rig.begin();
        const auto expected = effectiveProbeTimeout(options);
        rig.clock.advance(expected);
        CHECK(rig.state() == CircuitState::HalfOpen);
        rig.clock.advance(1ns);
        CHECK(rig.state() == CircuitState::Open);
        return expected;
    };
    CHECK(lostAfter({.recoveryTimeout = 10s, .requestTimeout = 2s}) == 2s);
    CHECK(lostAfter({.recoveryTimeout = 10s, .requestTimeout = 1h}) == 1h);
    CHECK(lostAfter({.recoveryTimeout = 10s, .requestTimeout = kForever}) == 10s);
    CHECK(lostAfter({.recoveryTimeout = 10s, .probeTimeout = 3s, .requestTimeout = 2s}) == 3s);
}

TEST_CASE("With an endless probeTimeout no probe is ever lost") {
    Rig rig{{.halfOpenLimit = 1, .probeTimeout = kForever}};
    rig.reachHalfOpen();
    auto probe = rig.begin();
    rig.clock.advance(kForever - 24h * 365);
    CHECK(rig.state() == CircuitState::HalfOpen);
    CHECK(rig.rejected().reason == RejectionReason::ProbesBusy);
    CHECK(probe.ignore() == ReportResult::Recorded);
}
