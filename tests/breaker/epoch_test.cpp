// SPDX-License-Identifier: MIT
// B 9-13: a result never acts on a later epoch. Calls are held across every kind of transition;
// their reports are stale, count in the totals, and change nothing else.
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "breaker/rig.hpp"
#include "breaker/transition_log.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Rig;
using fusebox::test::TransitionLog;

namespace {

/// A way from one epoch to another, with calls in flight meanwhile.
struct Crossing {
    std::string name;
    std::function<void(Rig<>&)> before;  ///< where the calls begin
    std::function<void(Rig<>&)> cross;
};

void doNothing(Rig<>&) {}
void trip(Rig<>& rig) {
    rig.trip();
}
void shadow(Rig<>& rig) {
    rig.breaker.setMode(ControlMode::Shadow);
}
void halfOpen(Rig<>& rig) {
    rig.reachHalfOpen();
}
void shadowOpen(Rig<>& rig) {
    shadow(rig);
    rig.trip();
}
std::function<void(Rig<>&)> mode(ControlMode to) {
    return [to](Rig<>& rig) { rig.breaker.setMode(to); };
}

const std::vector<Crossing>& crossings() {
    static const std::vector<Crossing> all{
        {"policy trip", doNothing, trip},
        {"policy trip and half-open", doNothing, halfOpen},
        {"the whole cycle", doNothing,
         [](Rig<>& rig) {
             rig.reachHalfOpen();
             rig.recover();
         }},
        {"several cycles", doNothing,
         [](Rig<>& rig) {
             for (int i = 0; i < 3; ++i) {
                 rig.reachHalfOpen();
                 rig.recover();
             }
         }},
        {"open by hand", doNothing, [](Rig<>& rig) { rig.breaker.open(); }},
        {"open and close by hand", doNothing,
         [](Rig<>& rig) {
             rig.breaker.open();
             rig.breaker.close();
         }},
        {"reset", doNothing, [](Rig<>& rig) { rig.breaker.reset(); }},
        {"forced open", doNothing, mode(ControlMode::ForcedOpen)},
        {"forced closed", doNothing, mode(ControlMode::ForcedClosed)},
        {"shadow", doNothing, shadow},
        {"forced closed and back", doNothing,
         [](Rig<>& rig) {
             rig.breaker.setMode(ControlMode::ForcedClosed);
             rig.breaker.setMode(ControlMode::Automatic);
         }},
        {"back from shadow", shadow, mode(ControlMode::Automatic)},
        {"back from forced closed", mode(ControlMode::ForcedClosed), mode(ControlMode::Automatic)},
        {"trip in shadow", shadow, trip},
        {"half-open in shadow", shadowOpen,
         [](Rig<>& rig) {
             rig.wait();
             rig.ignore();
         }},
        {"probe failed", halfOpen, [](Rig<>& rig) { rig.fail(); }},
        {"probes succeeded", halfOpen, [](Rig<>& rig) { rig.recover(); }},
        {"probe lost", halfOpen, [](Rig<>& rig) { rig.clock.advance(31s); }},
        {"half-open, opened by hand", halfOpen, [](Rig<>& rig) { rig.breaker.open(); }},
        {"half-open, closed by hand", halfOpen, [](Rig<>& rig) { rig.breaker.close(); }},
        {"half-open, reset", halfOpen, [](Rig<>& rig) { rig.breaker.reset(); }},
        {"half-open, forced closed and back", halfOpen,
         [](Rig<>& rig) {
             rig.breaker.setMode(ControlMode::ForcedClosed);
             rig.breaker.setMode(ControlMode::Automatic);
         }},
        {"half-open, failed, and half-open again", halfOpen,
         [](Rig<>& rig) {
             rig.fail();
             rig.wait();
             rig.ignore();
         }},
    };
    return all;
}

/// Everything that a stale report must leave alone.
void checkUnchanged(const CircuitBreakerStats& after, const CircuitBreakerStats& before) {
    CHECK(after.state == before.state);
    CHECK(after.mode == before.mode);
    CHECK(after.timesOpened == before.timesOpened);
    CHECK(after.timesClosed == before.timesClosed);
    CHECK(after.timeOpen == before.timeOpen);
    CHECK(after.probesInFlight == before.probesInFlight);
    CHECK(after.windowCalls == before.windowCalls);
    CHECK(after.windowFailures == before.windowFailures);
    CHECK(after.windowSlow == before.windowSlow);
    CHECK(after.consecutiveFailures == before.consecutiveFailures);
    CHECK(after.consecutiveSuccesses == before.consecutiveSuccesses);
    CHECK(after.retryAfter == before.retryAfter);
    CHECK(after.lastError == before.lastError);
    CHECK(after.lastFailureTime == before.lastFailureTime);
    CHECK(after.lastOpened == before.lastOpened);
    CHECK(after.lastClosed == before.lastClosed);
    CHECK(after.totalRejected == before.totalRejected);
}

/// Ends a call in one of the ways in which calls end; the totals that must have grown by one.
struct End {
    std::string name;
    std::function<std::optional<ReportResult>(std::optional<Rig<>::Permit>&)> end;
    std::uint64_t CircuitBreakerStats::*total;
};

const std::vector<End>& ends() {
    const auto by = [](Outcome outcome) {
        return [outcome](std::optional<Rig<>::Permit>& permit) {
            return std::optional{permit->report(outcome)};
        };
    };
    static const std::vector<End> all{
        {"success", by(Outcome::Success), &CircuitBreakerStats::totalSuccesses},
        {"failure", by(Outcome::Failure), &CircuitBreakerStats::totalFailures},
        {"timeout", by(Outcome::Timeout), &CircuitBreakerStats::totalTimeouts},
        {"ignored", by(Outcome::Ignored), &CircuitBreakerStats::totalIgnored},
        {"cancelled",
         [](std::optional<Rig<>::Permit>& permit) {
             permit.reset();
             return std::optional<ReportResult>{};
         },
         &CircuitBreakerStats::totalCancelled},
    };
    return all;
}

void holdAcross(const Crossing& crossing, const End& end, bool measureLatency) {
    INFO(crossing.name << ", then " << end.name);
    // However long a call is held, its deadline is not what this is about.
    Rig rig{{.probeTimeout = 30s, .requestTimeout = kForever, .measureLatency = measureLatency}};
    crossing.before(rig);
    std::optional<Rig<>::Permit> held{rig.begin()};
    crossing.cross(rig);
    const CircuitBreakerStats before = rig.stats();
    TransitionLog log{rig.breaker};
    const auto result = end.end(held);
    if (result) CHECK(*result == ReportResult::Stale);
    const CircuitBreakerStats after = rig.stats();
    CHECK(after.*end.total == before.*end.total + 1);
    CHECK(after.totalCalls == before.totalCalls + 1);
    CHECK(after.totalStale == before.totalStale + 1);
    // A lost probe's own report is the first to meet the breaker that its loss reopened.
    if (crossing.name != "probe lost") {
        CHECK(log.lines().empty());
        checkUnchanged(after, before);
    }
}

}  // namespace

TEST_CASE("B 9-13: a call held across any transition is stale and changes nothing but totals") {
    for (const auto& crossing : crossings()) {
        for (const auto& end : ends()) holdAcross(crossing, end, true);
    }
}

TEST_CASE("B 9-13: the same without latencies, where a success is one increment") {
    for (const auto& crossing : crossings()) {
        for (const auto& end : ends()) holdAcross(crossing, end, false);
    }
}

TEST_CASE("B 9: calls that overhang a trip do not decide the half-open state") {
    Rig rig;
    auto overhanging = rig.begin(6);
    rig.reachHalfOpen();
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(overhanging[i].success() == ReportResult::Stale);
        CHECK(overhanging[i + 3].failure() == ReportResult::Stale);
    }
    CHECK(rig.state() == CircuitState::HalfOpen);
    CHECK(rig.stats().timesOpened == 1);
    CHECK(rig.stats().consecutiveSuccesses == 0);
}

TEST_CASE("B 10: a late success does not close an open breaker, nor count for a later one") {
    Rig rig{{.successThreshold = 1}};
    auto late = rig.begin(2);
    rig.trip();
    CHECK(late[0].success() == ReportResult::Stale);
    CHECK(rig.state() == CircuitState::Open);
    rig.wait();
    rig.recover();
    rig.fail(4);
    CHECK(late[1].success() == ReportResult::Stale);
    rig.fail();  // the fifth in a row, whatever came from before
    CHECK(rig.state() == CircuitState::Open);
}

TEST_CASE("B 11: a stale probe gives no slot of the present half-open state back") {
    Rig rig{{.halfOpenLimit = 2}};
    rig.reachHalfOpen();
    auto old = rig.begin(2);
    CHECK(old[0].failure() == ReportResult::Recorded);
    rig.wait();
    const auto present = rig.begin(2);
    CHECK(old[1].success() == ReportResult::Stale);
    CHECK(rig.stats().probesInFlight == 2);
    CHECK(rig.rejected().reason == RejectionReason::ProbesBusy);
}

TEST_CASE("B 12: late failures do not put the recovery off") {
    Rig rig{{.recoveryTimeout = 10s}};
    auto late = rig.begin(10);
    rig.trip();
    for (auto& call : late) {
        rig.clock.advance(900ms);
        CHECK(call.failure() == ReportResult::Stale);
    }
    CHECK(rig.breaker.retryAfter() == 1s);
    CHECK(rig.stats().timesOpened == 1);
}

TEST_CASE("B 13: a permit that was overtaken says so, and is not silently dropped") {
    Rig rig;
    auto held = rig.begin();
    rig.breaker.reset();
    CHECK(held.failure() == ReportResult::Stale);
    CHECK(rig.stats().totalFailures == 1);
    CHECK(rig.stats().totalStale == 1);
}

TEST_CASE("B: calls in flight at a transition that did not happen are not stale") {
    Rig rig{{.recoveryTimeout = 10s}};
    auto held = rig.begin();
    rig.breaker.close();                          // closed already
    rig.breaker.setMode(ControlMode::Automatic);  // automatic already
    CHECK(held.failure() == ReportResult::Recorded);
    CHECK(rig.stats().consecutiveFailures == 1);
}

TEST_CASE("B: 70000 epochs later a permit is still stale") {
    Rig rig{{.measureLatency = false}};
    auto held = rig.begin();
    // Past the wrap of a 16-bit tag, and exactly at it.
    for (int i = 0; i < 65536; ++i) rig.breaker.reset();
    CHECK(held.success() == ReportResult::Stale);
    CHECK(rig.stats().windowCalls == 0);
    auto other = rig.begin();
    for (int i = 0; i < 70000; ++i) rig.breaker.reset();
    CHECK(other.failure() == ReportResult::Stale);
    CHECK(rig.stats().consecutiveFailures == 0);
}
