// SPDX-License-Identifier: MIT
// The numbers that caused the last opening, in fields and in words.
#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using Catch::Matchers::ContainsSubstring;
using fusebox::test::Rig;

TEST_CASE("A trip leaves the numbers on which the policy decided") {
    Rig rig{{.recoveryTimeout = 10s}, FailureRate{.threshold = 0.4, .minimumCalls = 5}};
    rig.succeed(3);
    rig.fail();
    const auto before = std::chrono::system_clock::now();
    CHECK_THROWS_AS(rig.breaker.execute([] { throw std::runtime_error{"connection refused"}; }),
                    std::runtime_error);
    const auto trip = rig.stats().lastTrip;
    REQUIRE(trip);
    CHECK(trip->reason == TransitionReason::PolicyTripped);
    CHECK(trip->time >= before);
    CHECK(trip->time == rig.stats().lastOpened);
    CHECK(trip->windowCalls == 5);
    CHECK(trip->windowFailures == 2);
    CHECK(trip->windowSlow == 0);
    CHECK(trip->failureRate == 0.4);
    CHECK(trip->consecutiveFailures == 2);
    CHECK(trip->wait == 10s);
    CHECK(trip->policy == rig.stats().policy);
    CHECK(trip->lastError == "connection refused");
    CHECK(trip->summary ==
          "POLICY_TRIPPED: 2 of 5 calls failed (40 %), 2 failures in a row; last calls: 3 SUCCESS, "
          "2 FAILURE; policy: " +
              trip->policy + "; last error: connection refused");
}

TEST_CASE("A trip by slow calls leaves their share") {
    Rig rig{{}, SlowCallRate{.threshold = 0.5, .slowerThan = 1s, .minimumCalls = 4}};
    rig.take(0s);
    rig.take(0s);
    rig.take(1s);
    rig.take(1s);
    const auto trip = rig.stats().lastTrip;
    REQUIRE(trip);
    CHECK(trip->windowCalls == 4);
    CHECK(trip->windowSlow == 2);
    CHECK(trip->slowCallRate == 0.5);
    CHECK(trip->failureRate == 0.0);
    CHECK(trip->consecutiveFailures == 0);
    CHECK(trip->lastError.empty());
    CHECK_THAT(trip->summary, ContainsSubstring(": 0 of 4 calls failed (0 %), 2 slow, "));
}

TEST_CASE("A summary tells of a single slow call, and of shares with two decimals") {
    Rig rig{{}, SlowCallRate{.threshold = 0.3, .slowerThan = 1s, .minimumCalls = 3}};
    rig.fail();
    rig.succeed();
    rig.take(1s);
    CHECK_THAT(rig.stats().lastTrip.value().summary,
               ContainsSubstring(": 1 of 3 calls failed (33.33 %), 1 slow, 0 failures in a row"));
}

TEST_CASE("A record is of the opening, whatever happens later") {
    Rig rig{{.recoveryTimeout = 10s}, ConsecutiveFailures{2}};
    rig.fail(2);
    const std::string summary = rig.stats().lastTrip->summary;
    rig.wait();
    rig.recover();
    rig.succeed(10);
    rig.fail();
    REQUIRE(rig.stats().lastTrip);
    CHECK(rig.stats().lastTrip->summary == summary);
    CHECK(rig.stats().lastTrip->consecutiveFailures == 2);
}

TEST_CASE("Reopenings say why, and how the window stood when the circuit first opened") {
    Rig rig{{.recoveryTimeout = 10s, .recoveryBackoff = 2.0, .probeTimeout = 5s},
            FailureRate{.minimumCalls = 4}};
    rig.succeed(2);
    rig.fail(2);
    rig.wait();
    CHECK_THROWS_AS(rig.breaker.execute([] { throw std::runtime_error{"still down"}; }),
                    std::runtime_error);
    auto trip = rig.stats().lastTrip.value();
    CHECK(trip.reason == TransitionReason::ProbeFailed);
    CHECK(trip.windowCalls == 4);
    CHECK(trip.failureRate == 0.5);
    CHECK(trip.wait == 20s);
    CHECK(trip.lastError == "still down");
    CHECK(trip.consecutiveFailures == 3);
    rig.wait();
    const auto lost = rig.begin();
    rig.clock.advance(6s);
    (void)rig.rejected();
    trip = rig.stats().lastTrip.value();
    CHECK(trip.reason == TransitionReason::ProbeLost);
    CHECK(trip.wait == 40s);
    CHECK(trip.windowFailures == 2);
}

TEST_CASE("Opening by hand leaves a record, too") {
    Rig rig;
    rig.succeed(3);
    rig.breaker.open(7s);
    const auto trip = rig.stats().lastTrip.value();
    CHECK(trip.reason == TransitionReason::Manual);
    CHECK(trip.wait == 7s);
    CHECK(trip.windowCalls == 3);
    CHECK(trip.windowFailures == 0);
    CHECK_THAT(trip.summary, ContainsSubstring("MANUAL"));
}

TEST_CASE("The record of a long error is as short as the error that is kept") {
    Rig rig{{}, ConsecutiveFailures{1}};
    CHECK_THROWS(rig.breaker.execute([] { throw std::runtime_error{std::string(500, 'x')}; }));
    CHECK(rig.stats().lastTrip->lastError == std::string(127, 'x'));
}

TEST_CASE("A closed breaker that never opened has no record") {
    Rig rig;
    rig.fail(4);
    CHECK_FALSE(rig.stats().lastTrip);
    rig.breaker.setMode(ControlMode::ForcedOpen);
    CHECK_FALSE(rig.stats().lastTrip);
    CHECK_FALSE(rig.stats().lastOpened);
}

TEST_CASE("A record tells of the last calls, oldest first") {
    Rig rig{{.recoveryTimeout = 10s},
            SlowCallRate{.threshold = 0.4, .slowerThan = 1s, .minimumCalls = 6}};
    rig.succeed(2);
    rig.fail();
    rig.ignore();
    rig.take(0s, Outcome::Timeout);
    rig.take(1s);
    rig.take(2s, Outcome::Failure);
    rig.succeed();
    rig.take(1s);
    rig.take(1s);
    const std::vector<PastCall> expected{
        {Outcome::Success, false}, {Outcome::Success, false}, {Outcome::Failure, false},
        {Outcome::Timeout, false}, {Outcome::Success, true},  {Outcome::Failure, true},
        {Outcome::Success, false}, {Outcome::Success, true},  {Outcome::Success, true}};
    const auto trip = rig.stats().lastTrip.value();
    CHECK(trip.lastOutcomes == expected);
    CHECK_THAT(trip.summary,
               ContainsSubstring("last calls: 2 SUCCESS, 1 FAILURE, 1 TIMEOUT, 1 slow SUCCESS, "
                                 "1 slow FAILURE, 1 SUCCESS, 2 slow SUCCESS;"));
}

TEST_CASE("Of the last calls a record keeps 32") {
    Rig rig{{.recoveryTimeout = 10s}, ConsecutiveFailures{3}};
    rig.fail();
    rig.succeed(40);
    rig.fail(3);
    auto calls = rig.stats().lastTrip->lastOutcomes;
    REQUIRE(calls.size() == 32);
    CHECK(std::count(calls.begin(), calls.end(), PastCall{}) == 29);
    CHECK(calls.back() == PastCall{Outcome::Failure, false});

    rig.wait();
    rig.succeed();
    rig.fail();
    calls = rig.stats().lastTrip->lastOutcomes;
    REQUIRE(calls.size() == 32);
    CHECK(calls[31] == PastCall{Outcome::Failure, false});
    CHECK(calls[30] == PastCall{Outcome::Success, false});
    CHECK(calls[29] == PastCall{Outcome::Failure, false});

    rig.breaker.close();
    rig.succeed(2);
    rig.breaker.open();
    CHECK(rig.stats().lastTrip->lastOutcomes == std::vector<PastCall>(2));
}

TEST_CASE("A record that knows no rate claims none") {
    Rig rig{{}, FailureCount{.threshold = 2, .window = 10s}};
    rig.succeed(5);
    rig.fail(2);
    CHECK_THAT(rig.stats().lastTrip->summary, ContainsSubstring("2 failures in the window"));
}
