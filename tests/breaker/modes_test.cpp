// SPDX-License-Identifier: MIT
// Modes overlay the cycle, and are sticky.
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

/// Brings a breaker with `recoveryTimeout` 10 s into a state of its cycle.
void reach(Rig<>& rig, CircuitState state) {
    if (state == CircuitState::Open) rig.trip();
    if (state == CircuitState::HalfOpen) rig.reachHalfOpen();
}
constexpr CircuitState kStates[] = {CircuitState::Closed, CircuitState::Open,
                                    CircuitState::HalfOpen};

}  // namespace

TEST_CASE("ForcedOpen rejects all calls in every state of the cycle, and reads Open") {
    for (const CircuitState state : kStates) {
        Rig rig{{.recoveryTimeout = 10s}};
        reach(rig, state);
        rig.breaker.setMode(ControlMode::ForcedOpen);
        CHECK(rig.state() == CircuitState::Open);
        CHECK(rig.breaker.isOpen());
        CHECK(rig.breaker.retryAfter() == kForever);
        CHECK(rig.stats().state == CircuitState::Open);
        CHECK(rig.stats().mode == ControlMode::ForcedOpen);
        CHECK(rig.stats().retryAfter == kForever);
        CHECK(rig.rejected() ==
              Rejection{"rig", CircuitState::Open, RejectionReason::ForcedOpen, kForever});
        rig.clock.advance(24h);
        CHECK(rig.rejected().reason == RejectionReason::ForcedOpen);
    }
}

TEST_CASE("ForcedClosed admits all calls in every state of the cycle, and reads Closed") {
    for (const CircuitState state : kStates) {
        Rig rig{{.recoveryTimeout = 10s}};
        reach(rig, state);
        rig.breaker.setMode(ControlMode::ForcedClosed);
        CHECK(rig.state() == CircuitState::Closed);
        CHECK_FALSE(rig.breaker.retryAfter());
        CHECK(rig.stats().state == CircuitState::Closed);
        const std::uint64_t opened = rig.stats().timesOpened;
        CHECK(rig.fail(100) == ReportResult::Recorded);
        CHECK(rig.state() == CircuitState::Closed);
        CHECK(rig.stats().timesOpened == opened);
        CHECK(rig.stats().totalRejected == 0);
    }
}

TEST_CASE("Forced modes freeze the cycle, and Automatic resumes it where it was") {
    for (const ControlMode mode : {ControlMode::ForcedOpen, ControlMode::ForcedClosed}) {
        for (const CircuitState state : kStates) {
            Rig rig{{.recoveryTimeout = 10s}};
            reach(rig, state);
            rig.breaker.setMode(mode);
            TransitionLog log{rig.breaker};
            for (int i = 0; i < 10; ++i) {
                if (auto permit = rig.breaker.tryAcquire()) permit.failure();
            }
            CHECK(log.lines().empty());
            rig.breaker.setMode(ControlMode::Automatic);
            CHECK(rig.state() == state);
        }
    }
}

TEST_CASE("Calls under ForcedClosed stand in no window and are no probes") {
    Rig rig{{.recoveryTimeout = 10s}};
    rig.fail(3);
    rig.breaker.setMode(ControlMode::ForcedClosed);
    rig.succeed(7);
    rig.fail(7);
    CHECK(rig.stats().windowCalls == 3);
    CHECK(rig.stats().windowFailures == 3);
    CHECK(rig.stats().consecutiveFailures == 3);
    rig.breaker.setMode(ControlMode::Automatic);
    rig.fail(2);  // the fourth and fifth in a row of those that the cycle saw
    CHECK(rig.state() == CircuitState::Open);
    rig.wait();
    rig.succeed();
    rig.breaker.setMode(ControlMode::ForcedClosed);
    rig.succeed(10);
    rig.fail(10);
    CHECK(rig.stats().consecutiveSuccesses == 1);
    rig.breaker.setMode(ControlMode::Automatic);
    CHECK(rig.state() == CircuitState::HalfOpen);
    rig.succeed();
    CHECK(rig.state() == CircuitState::Closed);
}

TEST_CASE("Probes in flight at a change of mode are not probes any more") {
    Rig rig{{.recoveryTimeout = 10s, .halfOpenLimit = 2, .probeTimeout = 5s}};
    rig.reachHalfOpen();
    const auto old = rig.begin(2);
    rig.breaker.setMode(ControlMode::ForcedClosed);
    CHECK(rig.stats().probesInFlight == 0);
    rig.clock.advance(1h);
    rig.breaker.setMode(ControlMode::Automatic);
    CHECK(rig.state() == CircuitState::HalfOpen);
    const auto present = rig.begin(2);
    CHECK(rig.stats().probesInFlight == 2);
}

TEST_CASE("Modes are sticky: neither open nor close nor time nor calls end them") {
    Rig rig{{.recoveryTimeout = 10s}};
    for (const ControlMode mode :
         {ControlMode::ForcedOpen, ControlMode::ForcedClosed, ControlMode::Shadow}) {
        rig.breaker.setMode(mode);
        rig.breaker.open();
        rig.breaker.close();
        rig.clock.advance(1h);
        if (auto permit = rig.breaker.tryAcquire()) permit.success();
        CHECK(rig.breaker.mode() == mode);
    }
    rig.breaker.setMode(ControlMode::Automatic);
    CHECK(rig.breaker.mode() == ControlMode::Automatic);
}

TEST_CASE("A change of mode emits ModeChanged only, and none emits nothing") {
    Rig rig;
    rig.trip();
    TransitionLog log{rig.breaker};
    rig.breaker.setMode(ControlMode::ForcedClosed);
    rig.breaker.setMode(ControlMode::ForcedClosed);
    rig.breaker.setMode(ControlMode::ForcedOpen);
    rig.breaker.setMode(ControlMode::Shadow);
    rig.breaker.setMode(ControlMode::Automatic);
    rig.breaker.setMode(ControlMode::Automatic);
    CHECK(log.lines() == Lines{"AUTOMATIC > FORCED_CLOSED", "FORCED_CLOSED > FORCED_OPEN",
                               "FORCED_OPEN > SHADOW", "SHADOW > AUTOMATIC"});
    CHECK(rig.stats().timesOpened == 1);
    CHECK(rig.stats().timesClosed == 0);
}

TEST_CASE("What the cycle was is not changed by what was laid over it") {
    Rig rig{{.recoveryTimeout = 10s}};
    rig.trip();
    rig.clock.advance(4s);
    const CircuitBreakerStats before = rig.stats();
    rig.breaker.setMode(ControlMode::ForcedClosed);
    rig.breaker.setMode(ControlMode::Automatic);
    const CircuitBreakerStats after = rig.stats();
    CHECK(after.timesOpened == before.timesOpened);
    CHECK(after.timesClosed == before.timesClosed);
    CHECK(after.timeOpen == before.timeOpen);
    CHECK(after.retryAfter == before.retryAfter);
    CHECK(after.windowFailures == before.windowFailures);
}

TEST_CASE("Changing the mode of a closed breaker keeps its window") {
    Rig rig{{.measureLatency = false}, FailureRate{.minimumCalls = 10}};
    rig.succeed(4);
    rig.fail(4);
    for (const ControlMode mode : {ControlMode::ForcedOpen, ControlMode::Shadow,
                                   ControlMode::ForcedClosed, ControlMode::Automatic}) {
        rig.breaker.setMode(mode);
        CHECK(rig.stats().windowCalls == 8);
        CHECK(rig.stats().windowFailures == 4);
    }
    rig.succeed();
    rig.fail();
    CHECK(rig.state() == CircuitState::Open);
    CHECK(rig.stats().failureRate == 0.5);
}

TEST_CASE("Shadow admits all and counts what it would have rejected") {
    Rig rig{{.recoveryTimeout = 10s, .halfOpenLimit = 1}};
    rig.breaker.setMode(ControlMode::Shadow);
    rig.trip();
    CHECK(rig.state() == CircuitState::Open);  // reads the cycle
    CHECK(rig.breaker.retryAfter() == 10s);
    CHECK(rig.succeed(3) == ReportResult::Recorded);
    CHECK(rig.fail(2) == ReportResult::Recorded);
    CHECK(rig.stats().totalShadowRejected == 5);
    CHECK(rig.stats().totalRejected == 0);
    rig.clock.advance(10s);
    CHECK(rig.state() == CircuitState::HalfOpen);
    auto probe = rig.begin();
    auto beyond = rig.begin();
    CHECK(rig.stats().totalShadowRejected == 6);
    CHECK(rig.stats().probesInFlight == 1);
    CHECK(beyond.failure() == ReportResult::Recorded);
    CHECK(rig.state() == CircuitState::HalfOpen);  // it would not have been made
    CHECK(probe.success() == ReportResult::Recorded);
    CHECK(rig.stats().consecutiveSuccesses == 1);
}

TEST_CASE("Shadow runs the whole cycle") {
    Rig rig{{.recoveryTimeout = 10s, .probeTimeout = 5s}};
    rig.breaker.setMode(ControlMode::Shadow);
    TransitionLog log{rig.breaker};
    rig.trip();
    rig.wait();
    rig.fail();
    rig.wait();
    auto lost = rig.begin();
    rig.clock.advance(6s);
    CHECK(rig.state() == CircuitState::Open);
    rig.succeed();
    rig.wait();
    rig.recover();
    CHECK(log.lines() == Lines{"CLOSED > OPEN: POLICY_TRIPPED", "OPEN > HALF_OPEN: WAIT_ELAPSED",
                               "HALF_OPEN > OPEN: PROBE_FAILED", "OPEN > HALF_OPEN: WAIT_ELAPSED",
                               "HALF_OPEN > OPEN: PROBE_LOST", "OPEN > HALF_OPEN: WAIT_ELAPSED",
                               "HALF_OPEN > CLOSED: PROBES_SUCCEEDED"});
    CHECK(rig.stats().totalRejected == 0);
    CHECK(rig.stats().timesOpened == 3);
    CHECK(lost.success() == ReportResult::Stale);
}

TEST_CASE("Shadow emits no CallRejected, and execute always calls") {
    Rig rig;
    rig.breaker.setMode(ControlMode::Shadow);
    rig.breaker.open();
    int rejected = 0;
    const Subscription listening =
        rig.breaker.on<CallRejected>([&](const CallRejected&) { ++rejected; });
    CHECK(rig.breaker.execute([] { return 1; }, fallback([] { return 2; })) == 1);
    CHECK(rejected == 0);
    CHECK(rig.stats().totalShadowRejected == 1);
}

TEST_CASE("Leaving Shadow while open rejects from then on") {
    Rig rig{{.recoveryTimeout = 10s}};
    rig.breaker.setMode(ControlMode::Shadow);
    rig.trip();
    rig.clock.advance(3s);
    rig.breaker.setMode(ControlMode::Automatic);
    CHECK(rig.rejected().retryAfter == 7s);
}
