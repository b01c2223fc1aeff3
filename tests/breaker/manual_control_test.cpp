// SPDX-License-Identifier: MIT
// open(), close() and reset().
#include <chrono>
#include <optional>
#include <string>

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

/// Field by field; `name` and the words are the breaker's own.
void checkSame(const CircuitBreakerStats& a, const CircuitBreakerStats& b) {
    CHECK(a.name == b.name);
    CHECK(a.policy == b.policy);
    CHECK(a.options == b.options);
    CHECK(a.state == b.state);
    CHECK(a.mode == b.mode);
    CHECK(a.totalCalls == b.totalCalls);
    CHECK(a.totalSuccesses == b.totalSuccesses);
    CHECK(a.totalFailures == b.totalFailures);
    CHECK(a.totalTimeouts == b.totalTimeouts);
    CHECK(a.totalIgnored == b.totalIgnored);
    CHECK(a.totalCancelled == b.totalCancelled);
    CHECK(a.totalRejected == b.totalRejected);
    CHECK(a.totalShadowRejected == b.totalShadowRejected);
    CHECK(a.totalStale == b.totalStale);
    CHECK(a.totalSlow == b.totalSlow);
    CHECK(a.timesOpened == b.timesOpened);
    CHECK(a.timesClosed == b.timesClosed);
    CHECK(a.listenerErrors == b.listenerErrors);
    CHECK(a.timeOpen == b.timeOpen);
    CHECK(a.probesInFlight == b.probesInFlight);
    CHECK(a.inFlight == b.inFlight);
    CHECK(a.windowCalls == b.windowCalls);
    CHECK(a.windowFailures == b.windowFailures);
    CHECK(a.windowSlow == b.windowSlow);
    CHECK(a.failureRate == b.failureRate);
    CHECK(a.slowCallRate == b.slowCallRate);
    CHECK(a.consecutiveFailures == b.consecutiveFailures);
    CHECK(a.consecutiveSuccesses == b.consecutiveSuccesses);
    CHECK(a.averageResponseTime == b.averageResponseTime);
    CHECK(a.latency == b.latency);
    CHECK(a.retryAfter == b.retryAfter);
    CHECK(a.lastError == b.lastError);
    CHECK(a.lastFailureTime == b.lastFailureTime);
    CHECK(a.lastOpened == b.lastOpened);
    CHECK(a.lastClosed == b.lastClosed);
    CHECK(a.lastTrip.has_value() == b.lastTrip.has_value());
}

/// Leaves no statistic untouched.
template <class Policy>
void liveThrough(Rig<Policy>& rig) {
    const Subscription throwing =
        rig.breaker.template on<CallFailed>([](const CallFailed&) { throw 1; });
    rig.take(100ms);
    rig.take(3s);
    rig.take(40s);
    rig.ignore();
    (void)rig.begin();
    rig.trip();
    (void)rig.rejected();
    rig.wait();
    rig.fail();
    rig.wait();
    rig.recover();
    rig.breaker.setMode(ControlMode::Shadow);
    rig.trip();
    rig.succeed(3);
    rig.breaker.setMode(ControlMode::Automatic);
    rig.wait();
    auto lost = rig.begin();
    rig.clock.advance(1h);
    (void)rig.state();
}

}  // namespace

TEST_CASE("open() trips a closed breaker, which recovers as usual") {
    Rig rig{{.recoveryTimeout = 10s}};
    TransitionLog log{rig.breaker};
    rig.breaker.open();
    CHECK(rig.breaker.isOpen());
    CHECK(rig.breaker.retryAfter() == 10s);
    CHECK(rig.stats().timesOpened == 1);
    CHECK(rig.stats().lastTrip->reason == TransitionReason::Manual);
    rig.wait();
    rig.recover();
    CHECK(log.lines() == Lines{"CLOSED > OPEN: MANUAL", "OPEN > HALF_OPEN: WAIT_ELAPSED",
                               "HALF_OPEN > CLOSED: PROBES_SUCCEEDED"});
}

TEST_CASE("open() does nothing where it is open already") {
    Rig rig{{.recoveryTimeout = 10s}};
    rig.trip();
    rig.clock.advance(4s);
    TransitionLog log{rig.breaker};
    rig.breaker.open();
    rig.breaker.open(1h);
    CHECK(rig.breaker.retryAfter() == 6s);
    CHECK(rig.stats().timesOpened == 1);
    CHECK(log.lines().empty());
}

TEST_CASE("open() opens a half-open breaker, also one that no call has met yet") {
    Rig rig{{.recoveryTimeout = 10s}};
    rig.reachHalfOpen();
    TransitionLog log{rig.breaker};
    rig.breaker.open();
    CHECK(rig.breaker.retryAfter() == 10s);
    CHECK(log.lines() == Lines{"HALF_OPEN > OPEN: MANUAL"});
    rig.wait();
    rig.breaker.open(7s);
    CHECK(rig.breaker.retryAfter() == 7s);
    CHECK(log.lines() == Lines{"OPEN > HALF_OPEN: WAIT_ELAPSED", "HALF_OPEN > OPEN: MANUAL"});
    CHECK(rig.stats().timesOpened == 3);
}

TEST_CASE("close() closes now, with an empty window, from wherever it is") {
    Rig rig{{.recoveryTimeout = 10s}, FailureRate{.minimumCalls = 2}};
    TransitionLog log{rig.breaker};
    rig.trip();
    rig.clock.advance(4s);
    rig.breaker.close();
    CHECK(rig.state() == CircuitState::Closed);
    CHECK(rig.stats().windowCalls == 0);
    CHECK(rig.stats().timeOpen == 4s);
    rig.fail();  // one of the two that it takes
    CHECK(rig.state() == CircuitState::Closed);
    rig.reachHalfOpen();
    (void)log.lines();
    rig.breaker.close();
    CHECK(log.lines() == Lines{"HALF_OPEN > CLOSED: MANUAL"});
    CHECK(rig.stats().timesClosed == 2);
}

TEST_CASE("close() does nothing where it is closed already") {
    Rig rig;
    rig.fail(2);
    TransitionLog log{rig.breaker};
    rig.breaker.close();
    CHECK(rig.stats().windowFailures == 2);
    CHECK(rig.stats().consecutiveFailures == 2);
    CHECK(rig.stats().timesClosed == 0);
    CHECK(log.lines().empty());
}

TEST_CASE("Closing an open breaker whose wait is over counts the time that it was open") {
    Rig rig{{.recoveryTimeout = 10s}};
    rig.trip();
    rig.clock.advance(1h);
    rig.breaker.close();
    CHECK(rig.stats().timeOpen == 10s);
}

TEST_CASE("reset() closes and tells of it") {
    Rig rig;
    rig.trip();
    TransitionLog log{rig.breaker};
    rig.breaker.reset();
    CHECK(rig.state() == CircuitState::Closed);
    CHECK(log.lines() == Lines{"OPEN > CLOSED: RESET", "reset"});
    rig.breaker.reset();
    CHECK(log.lines() == Lines{"reset"});  // closed already: no transition
}

TEST_CASE("reset() returns every statistic to a new breaker's") {
    const CircuitBreakerOptions options{.recoveryTimeout = 10s, .recoveryBackoff = 2.0};
    const SlowCallRate slow{.threshold = 0.9, .slowerThan = 2s, .minimumCalls = 100};
    Rig used{options, anyOf(ConsecutiveFailures{5}, slow)};
    liveThrough(used);
    const CircuitBreakerStats lived = used.stats();
    CHECK(lived.totalStale + lived.totalSlow + lived.totalShadowRejected + lived.listenerErrors >=
          4);
    used.breaker.reset();
    const Rig fresh{options, anyOf(ConsecutiveFailures{5}, slow)};
    checkSame(used.stats(), fresh.stats());
    // And it behaves like a new one.
    used.fail(4);
    CHECK(used.state() == CircuitState::Closed);
    used.fail();
    CHECK(used.breaker.retryAfter() == 10s);
}

TEST_CASE("reset() keeps the mode") {
    for (const ControlMode mode :
         {ControlMode::ForcedOpen, ControlMode::ForcedClosed, ControlMode::Shadow}) {
        Rig rig;
        rig.trip();
        rig.breaker.setMode(mode);
        TransitionLog log{rig.breaker};
        rig.breaker.reset();
        CHECK(rig.breaker.mode() == mode);
        CHECK(log.lines() == Lines{"OPEN > CLOSED: RESET", "reset"});
        rig.breaker.setMode(ControlMode::Automatic);
        CHECK(rig.state() == CircuitState::Closed);
    }
}

TEST_CASE("reset() keeps the calls in flight in flight") {
    Rig rig{{.trackInFlight = true}};
    auto held = rig.begin(2);
    rig.breaker.reset();
    CHECK(rig.stats().inFlight == 2);
    CHECK(held[0].success() == ReportResult::Stale);
    CHECK(rig.stats().inFlight == 1);
    CHECK(rig.stats().totalCalls == 1);
}

TEST_CASE("Subscriptions survive a reset") {
    Rig rig;
    TransitionLog log{rig.breaker};
    rig.breaker.reset();
    rig.breaker.open();
    CHECK(log.lines() == Lines{"reset", "CLOSED > OPEN: MANUAL"});
}
