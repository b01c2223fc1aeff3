// SPDX-License-Identifier: MIT
// With detectOverdue, calls that are over their deadline count before they return.
#include <chrono>
#include <vector>

#include "breaker/rig.hpp"
#include "breaker/transition_log.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/policy/failure_rate.hpp"
#include "fusebox/policy/slow_call_rate.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Lines;
using fusebox::test::Rig;
using fusebox::test::TransitionLog;

namespace {

const CircuitBreakerOptions kWatching{
    .recoveryTimeout = 10s, .requestTimeout = 1600ms, .trackInFlight = true, .detectOverdue = true};
// The deadline, and a sixteenth of it.
constexpr auto kOverdue = 1600ms + 100ms;

}  // namespace

TEST_CASE("Calls that hang open the breaker for the next one, though none of them returns") {
    Rig rig{kWatching};
    auto hung = rig.begin(5);
    rig.clock.advance(1600ms);
    CHECK(rig.begin().ignore() == ReportResult::Recorded);
    CHECK(rig.state() == CircuitState::Closed);
    rig.clock.advance(101ms);
    CHECK(rig.rejected().reason == RejectionReason::Open);
    CHECK(rig.state() == CircuitState::Open);

    const auto stats = rig.stats();
    CHECK(stats.totalTimeouts == 0);
    CHECK(stats.inFlight == 5U);
    REQUIRE(stats.lastTrip);
    CHECK(stats.lastTrip->consecutiveFailures == 5);
    CHECK(stats.lastTrip->windowFailures == 5);
    CHECK(stats.lastError == "the call is overdue: its deadline is over, it is still in flight");
    CHECK(stats.lastFailureTime);

    CHECK(hung[0].success() == ReportResult::Stale);
    CHECK(rig.stats().totalStale == 1);
}

TEST_CASE("What counted as overdue is in the totals when it ends, and in the window but once") {
    Rig rig{kWatching};
    auto hung = rig.begin(4);
    rig.clock.advance(kOverdue);
    rig.succeed();  // looks
    CHECK(rig.stats().windowFailures == 4);
    CHECK(rig.stats().windowCalls == 5);

    CHECK(hung[0].success() == ReportResult::Recorded);
    CHECK(hung[1].failure() == ReportResult::Recorded);
    CHECK(hung[2].ignore() == ReportResult::Recorded);
    hung[3] = {};
    const auto stats = rig.stats();
    CHECK(stats.windowFailures == 4);
    CHECK(stats.windowCalls == 5);
    CHECK(stats.totalTimeouts == 2);
    CHECK(stats.totalIgnored == 1);
    CHECK(stats.totalCancelled == 1);
    CHECK(stats.latency.max == kOverdue);
    CHECK(stats.totalSuccesses == 1);
    CHECK(stats.totalStale == 0);
    CHECK(stats.inFlight == 0U);
}

TEST_CASE("The next verdict looks, too") {
    Rig rig{kWatching};
    auto hung = rig.begin(4);
    auto failing = rig.begin();
    rig.clock.advance(kOverdue);
    CHECK(failing.report(Outcome::Failure, 1ms) == ReportResult::Recorded);
    CHECK(rig.state() == CircuitState::Open);
    CHECK(rig.stats().lastTrip->consecutiveFailures == 5);
}

TEST_CASE("Calls that end in time are never overdue, late ones are timeouts as ever") {
    Rig rig{kWatching};
    for (int i = 0; i < 100; ++i) {
        rig.take(1600ms);
        rig.clock.advance(50ms);
    }
    CHECK(rig.stats().totalSuccesses == 100);
    CHECK(rig.stats().windowFailures == 0);
    rig.take(1601ms);
    CHECK(rig.stats().totalTimeouts == 1);
    CHECK(rig.stats().windowFailures == 1);
}

TEST_CASE("A call that hung through an opening is stale, and no failure of a later epoch") {
    Rig rig{kWatching};
    auto hung = rig.begin(3);
    rig.trip();
    rig.wait();
    rig.recover();
    rig.clock.advance(1h);
    rig.succeed();
    CHECK(rig.stats().windowFailures == 0);
    CHECK(hung[0].failure() == ReportResult::Stale);
    CHECK(rig.stats().windowFailures == 0);
    CHECK(rig.stats().totalStale == 1);
}

TEST_CASE("Overdue calls count in Shadow, and not under a forced mode") {
    Rig rig{kWatching};
    rig.breaker.setMode(ControlMode::Shadow);
    auto hung = rig.begin(5);
    rig.clock.advance(kOverdue);
    CHECK(rig.succeed() == ReportResult::Recorded);
    CHECK(rig.state() == CircuitState::Open);
    CHECK(rig.stats().totalShadowRejected == 1);

    rig.breaker.reset();
    rig.breaker.setMode(ControlMode::ForcedClosed);
    auto more = rig.begin(5);
    rig.clock.advance(kOverdue);
    rig.succeed();
    rig.breaker.setMode(ControlMode::Automatic);
    CHECK(rig.succeed() == ReportResult::Recorded);
    CHECK(rig.state() == CircuitState::Closed);
}

TEST_CASE("An overdue call is slow if its deadline is") {
    using std::chrono::nanoseconds;
    const auto slowerThan = GENERATE(as<nanoseconds>{}, 1600ms, 1601ms);
    Rig<SlowCallRate> rig{kWatching,
                          {.threshold = 0.5, .slowerThan = slowerThan, .minimumCalls = 4}};
    auto hung = rig.begin(4);
    rig.clock.advance(kOverdue);
    const bool admitted{rig.breaker.tryAcquire()};
    CHECK(admitted == (slowerThan > 1600ms));
    CHECK(rig.stats().windowSlow == (slowerThan > 1600ms ? 0 : 4));
    if (!admitted) {
        CHECK(rig.stats().lastTrip.value().lastOutcomes ==
              std::vector<PastCall>(4, PastCall{Outcome::Timeout, true}));
    }
}

TEST_CASE("Detection can be reconfigured, and begins with the calls that come then") {
    Rig rig{{.recoveryTimeout = 10s, .requestTimeout = 1600ms}};
    auto before = rig.begin(5);
    rig.breaker.reconfigure(kWatching);
    auto hung = rig.begin(4);
    rig.clock.advance(kOverdue);
    rig.succeed();
    CHECK(rig.stats().windowFailures == 4);

    CircuitBreakerOptions patient = kWatching;
    patient.requestTimeout = 16s;
    rig.breaker.reconfigure(patient);
    auto patientOnes = rig.begin(5);
    rig.clock.advance(kOverdue);
    rig.succeed();
    CHECK(rig.state() == CircuitState::Closed);
    rig.clock.advance(16s);
    CHECK_FALSE(rig.breaker.tryAcquire());
}

TEST_CASE("Listeners learn of an opening by overdue calls before the call that made it returns") {
    Rig rig{kWatching};
    TransitionLog log{rig.breaker};
    auto hung = rig.begin(5);
    rig.clock.advance(kOverdue);
    rig.rejected();
    CHECK(log.lines() == Lines{"CLOSED > OPEN: POLICY_TRIPPED"});
}

TEST_CASE("Detection needs a deadline, and measured latencies") {
    CHECK(validate(CircuitBreakerOptions{.requestTimeout = kForever, .detectOverdue = true}) ==
          "detectOverdue is true; allowed: false without a deadline (requestTimeout)");
    CHECK(validate(CircuitBreakerOptions{.measureLatency = false, .detectOverdue = true}) ==
          "detectOverdue is true; allowed: false without measureLatency");
    CHECK_FALSE(validate(CircuitBreakerOptions{.detectOverdue = true}));
    CHECK_FALSE(CircuitBreakerOptions{}.detectOverdue);
}
