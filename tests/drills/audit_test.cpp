// SPDX-License-Identifier: MIT
// The audit of an outage finds nothing where all is well, and each thing that is not.
#include "drills/audit.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "support/catch.hpp"

using namespace fusebox;
using namespace fusebox::test;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using std::chrono::microseconds;

namespace {

/// So many milliseconds after the beginning.
Time at(double ms) {
    return Time{} + 1h + microseconds{static_cast<long>(ms * 1000)};
}

const Outage kOutage{
    .name = "two 503",
    .script = {.steps = {{0ms, {.kind = Fault::Kind::Error}}}},
    .policy = ConsecutiveFailures{2},
    .options = {.recoveryTimeout = 100ms, .successThreshold = 1, .halfOpenLimit = 1},
    .evidence = 2,
    .threads = 2};

SeenCall made(double start, double length, Told told, int status) {
    return {.start = at(start),
            .begun = at(start + 0.1),
            .ended = at(start + length - 0.1),
            .end = at(start + length),
            .status = status,
            .told = told,
            .tellings = 1};
}

/// Two failures open it at 21, a call at 30 is rejected, a probe at 125 closes it.
Evidence well() {
    Evidence seen;
    seen.calls = {made(0, 1, Told::Success, 200), made(11, 1, Told::Failure, 503),
                  made(20, 1, Told::Failure, 503), made(125, 1, Told::Success, 200),
                  made(140, 1, Told::Success, 200)};
    for (const SeenCall& call : seen.calls) {
        const bool forwarded = call.status == 200;
        seen.requests.push_back({"GET /work HTTP/1.1", call.begun, call.ended, forwarded});
    }
    seen.calls.push_back({.start = at(30),
                          .end = at(30.1),
                          .rejected = true,
                          .told = Told::Rejected,
                          .tellings = 1});
    seen.transitions = {
        {at(20.95), CircuitState::Closed, CircuitState::Open, TransitionReason::PolicyTripped},
        {at(125.05), CircuitState::Open, CircuitState::HalfOpen, TransitionReason::WaitElapsed},
        {at(125.95), CircuitState::HalfOpen, CircuitState::Closed,
         TransitionReason::ProbesSucceeded}};
    seen.calls[3].halfOpen = seen.transitions[1].delivered;
    seen.serverReached = 3;
    seen.stats.totalCalls = 5;
    seen.stats.totalSuccesses = 3;
    seen.stats.totalFailures = 2;
    seen.stats.totalRejected = 1;
    seen.stats.timesOpened = 1;
    seen.stats.timesClosed = 1;
    seen.faultBegan = at(10);
    seen.healBegan = at(100);
    seen.healed = at(100.1);
    return seen;
}

/// Adds a call that succeeded, and all that it leaves behind.
void addCall(Evidence& seen, double start, double length) {
    seen.calls.push_back(made(start, length, Told::Success, 200));
    seen.requests.push_back(
        {"GET /work HTTP/1.1", seen.calls.back().begun, seen.calls.back().ended, true});
    ++seen.serverReached;
    ++seen.stats.totalCalls;
    ++seen.stats.totalSuccesses;
}

std::string whatIsWrong(const Evidence& seen, const Outage& outage = kOutage) {
    std::string text;
    for (const Violation& violation : audit(outage, seen).violations) text += violation.what + "; ";
    return text;
}

template <class Change>
std::string whatIsWrongAfter(Change change) {
    Evidence seen = well();
    change(seen);
    return whatIsWrong(seen);
}

}  // namespace

TEST_CASE("An outage that went well is found so, with its figures") {
    const Findings found = audit(kOutage, well());
    CHECK(whatIsWrong(well()).empty());
    CHECK(found.openings == 1);
    CHECK(found.probesAtOnce == 1);
    CHECK(found.requestsAtOnce == 1);
    CHECK(found.toOpen == at(20.95) - at(10));
    CHECK(found.recovery == at(125.95) - at(100));
    CHECK(found.recoveryBound > 100ms);
    CHECK(found.recoveryBound < 250ms);
}

TEST_CASE("Calls that are lost, or counted twice, are found") {
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { seen.calls[1].tellings = 0; }),
               ContainsSubstring("by 0 events"));
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { seen.calls[1].tellings = 2; }),
               ContainsSubstring("by 2 events"));
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { seen.calls[1].told = Told::Success; }),
               ContainsSubstring("with status 503"));
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { seen.calls[1].told = Told::Timeout; }),
               ContainsSubstring("a call was told as 3"));
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { ++seen.stats.totalCalls; }),
               ContainsSubstring("admitted calls: 5 and 6"));
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { --seen.stats.totalRejected; }),
               ContainsSubstring("rejected calls: 1 and 0"));
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { ++seen.stats.totalTimeouts; }),
               ContainsSubstring("timeouts: 0 and 1"));
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { seen.stats.probesInFlight = 1; }),
               ContainsSubstring("probes in flight at the end"));
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { seen.stats.inFlight = 1; }),
               ContainsSubstring("in flight at the end: 1"));
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { seen.requests.pop_back(); }),
               ContainsSubstring("admitted calls and requests: 5 and 4"));
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { ++seen.serverReached; }),
               ContainsSubstring("that reached the server: 3 and 4"));
}

TEST_CASE("A chain of transitions that is broken is found") {
    CHECK_THAT(whatIsWrongAfter(
                   [](Evidence& seen) { seen.transitions.erase(seen.transitions.begin() + 1); }),
               ContainsSubstring("does not begin where the one before it ended"));
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { seen.stats.timesOpened = 2; }),
               ContainsSubstring("openings told and counted: 1 and 2"));
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { seen.transitions.pop_back(); }),
               ContainsSubstring("not closed at the end"));
}

TEST_CASE("Calls that an open or half-open breaker should not have admitted are found") {
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { addCall(seen, 50, 1); }),
               ContainsSubstring("a call was admitted"));
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { addCall(seen, 125.1, 0.7); }),
               ContainsSubstring("2 probes at once, of at most 1") &&
                   ContainsSubstring("2 requests at once while half-open"));
    SECTION("but not those that were admitted before it opened, or after it closed") {
        CHECK(whatIsWrongAfter([](Evidence& seen) { addCall(seen, 19, 150); }).empty());
        CHECK(whatIsWrongAfter([](Evidence& seen) { addCall(seen, 125.85, 2); }).empty());
    }
}

TEST_CASE("A breaker that closes after too few successes is found") {
    Outage two = kOutage;
    two.options.successThreshold = 2;
    CHECK_THAT(whatIsWrong(well(), two),
               ContainsSubstring("closed after 1 probes succeeded, of 2"));
}

TEST_CASE("A breaker that stays half-open after enough successes is found") {
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { addCall(seen, 123, 1); }),
               ContainsSubstring("still half-open when 1 probes had succeeded, of 1"));
}

TEST_CASE("A breaker that stays half-open, or closes, though a probe failed or was slow is found") {
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) {
                   addCall(seen, 123, 1);
                   seen.calls.back().told = Told::Failure;
                   seen.calls.back().status = 503;
                   --seen.stats.totalSuccesses;
                   ++seen.stats.totalFailures;
               }),
               ContainsSubstring("a probe failed or was slow, and it stayed half-open"));
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) {
                   seen.calls[3].slow = true;
                   ++seen.stats.totalSlow;
               }),
               ContainsSubstring("closed after 0 probes succeeded, of 1"));
}

TEST_CASE("A breaker that reopens without a failed probe is found") {
    Evidence seen = well();
    seen.transitions.back().to = CircuitState::Open;
    seen.transitions.back().reason = TransitionReason::ProbeFailed;
    CHECK_THAT(whatIsWrong(seen), ContainsSubstring("but no probe of that half-open state"));
}

TEST_CASE("A breaker that waits for too long is found") {
    Evidence seen = well();
    seen.calls.back().start = at(180);
    seen.calls.back().end = at(180.1);
    seen.calls[3] = made(250, 1, Told::Success, 200);
    seen.calls[4] = made(260, 1, Told::Success, 200);
    seen.transitions[1].delivered = at(250.05);
    seen.transitions[2].delivered = at(250.95);
    CHECK_THAT(whatIsWrong(seen), ContainsSubstring("1 calls were rejected though the wait"));
}

TEST_CASE("A probe that tells how another one failed is no probe of the opening that follows") {
    Evidence seen = well();
    // The call of 125 opens the half-open state, but another one fails and reopens it before its
    // callable has begun. A third closes it.
    seen.calls[3].begun = at(126.2);
    seen.calls[3].ended = at(126.8);
    seen.calls[3].end = at(127);
    seen.requests[3].arrived = at(126.3);
    seen.requests[3].left = at(126.7);
    seen.calls[4] = made(125.2, 0.7, Told::Failure, 503);
    seen.requests[4] = {"GET /work HTTP/1.1", at(125.4), at(125.5), false};
    addCall(seen, 230, 1);
    seen.transitions.back() = {at(126.1), CircuitState::HalfOpen, CircuitState::Open,
                               TransitionReason::ProbeFailed};
    seen.transitions.push_back(
        {at(230.05), CircuitState::Open, CircuitState::HalfOpen, TransitionReason::WaitElapsed});
    seen.transitions.push_back({at(230.95), CircuitState::HalfOpen, CircuitState::Closed,
                                TransitionReason::ProbesSucceeded});
    seen.calls.back().halfOpen = at(230.05);
    seen.stats.timesOpened = 2;
    --seen.stats.totalSuccesses;
    ++seen.stats.totalFailures;
    --seen.serverReached;
    seen.healBegan = at(126);
    seen.healed = at(126.1);
    Outage twoAtOnce = kOutage;
    twoAtOnce.options.halfOpenLimit = 2;
    CHECK(whatIsWrong(seen, twoAtOnce).empty());
}

TEST_CASE("A request that stays at the proxy when its caller is gone is found") {
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) { seen.requests[2].left = kNever; }),
               ContainsSubstring("2 requests at once while half-open, of 1 probes and 0 older"));
}

TEST_CASE("What comes too late is found, and is about time") {
    const auto late = [](Evidence& seen) {
        for (std::size_t i : {1U, 2U}) seen.transitions[i].delivered += 200ms;
    };
    CHECK_THAT(whatIsWrongAfter(late), ContainsSubstring("closed after 225.9 ms, of at most"));
    CHECK_THAT(whatIsWrongAfter([](Evidence& seen) {
                   addCall(seen, 12, 2), addCall(seen, 14, 2);
                   for (std::size_t i : {6U, 7U}) {
                       seen.calls[i].told = Told::Failure;
                       seen.calls[i].status = 503;
                   }
                   seen.stats.totalSuccesses -= 2;
                   seen.stats.totalFailures += 2;
               }),
               ContainsSubstring("4 calls failed or were slow before it opened, of at most 3"));
    Outage borne = kOutage;
    borne.evidence = 0;
    const Findings found = audit(borne, well());
    REQUIRE(found.violations.size() == 1);
    CHECK_THAT(found.violations[0].what, ContainsSubstring("should have borne that"));
    CHECK(found.violations[0].ofTime);
}
