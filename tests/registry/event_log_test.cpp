// SPDX-License-Identifier: MIT
#include "fusebox/registry/event_log.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "breaker/transition_log.hpp"
#include "fusebox/registry/registry.hpp"
#include "fusebox/registry/with_circuit_breaker.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Lines;

namespace {

/// "breaker: text" of each event.
Lines linesOf(const EventLog& log) {
    Lines lines;
    for (const auto& event : log.events()) lines.push_back(event.breaker + ": " + event.text);
    return lines;
}

}  // namespace

TEST_CASE("A log keeps what happened to all breakers, oldest first, in words") {
    CircuitBreakerRegistry registry;
    const EventLog log{registry, 100};
    CHECK(log.capacity() == 100);
    CHECK(log.events().empty());
    const auto before = std::chrono::system_clock::now();
    test::ManualClock clock;
    const auto manual = std::make_shared<CircuitBreaker<test::ManualClock>>(
        "db", ConsecutiveFailures{2}, CircuitBreakerOptions{.recoveryTimeout = 3s}, clock);
    registry.add(manual);
    manual->execute([] {});
    manual->tryAcquire().report(Outcome::Failure, 12ms);
    CHECK_THROWS(manual->execute([]() -> int { throw std::runtime_error{"no route"}; }));
    (void)manual->tryAcquire();
    manual->setMode(ControlMode::ForcedOpen);
    (void)manual->tryAcquire();
    manual->setMode(ControlMode::Automatic);
    manual->reset();
    manual->tryAcquire().timeout();
    manual->tryAcquire().ignore();
    registry.remove("db");
    CHECK(linesOf(log) ==
          Lines{"db: added", "db: failed after 12 ms", "db: CLOSED -> OPEN (POLICY_TRIPPED)",
                "db: failed: no route", "db: rejected: OPEN, retry after 3 s",
                "db: AUTOMATIC -> FORCED_OPEN", "db: rejected: FORCED_OPEN",
                "db: FORCED_OPEN -> AUTOMATIC", "db: OPEN -> CLOSED (RESET)", "db: reset",
                "db: timed out", "db: ignored", "db: removed (REMOVED)"});
    std::uint64_t last = 0;
    for (const auto& event : log.events()) {
        CHECK(event.sequence == ++last);
        CHECK(event.time >= before);
        CHECK(event.time <= std::chrono::system_clock::now());
    }
    CHECK(log.events()[2].kind == EventKind::StateChanged);
    CHECK(toString(log.events()[0].kind) == "BREAKER_ADDED");
}

TEST_CASE("A log keeps the last events, in their order, and can be cleared") {
    CircuitBreakerRegistry registry;
    EventLog log{registry, 3};
    for (int i = 1; i <= 8; ++i) {
        registry.create(std::to_string(i));
        const auto events = log.events();
        REQUIRE(events.size() == static_cast<std::size_t>(std::min(i, 3)));
        CHECK(events.back().breaker == std::to_string(i));
        CHECK(events.front().sequence == static_cast<std::uint64_t>(std::max(i - 2, 1)));
    }
    CHECK(linesOf(log) == Lines{"6: added", "7: added", "8: added"});
    log.clear();
    CHECK(log.events().empty());
    registry.create("9");
    CHECK(linesOf(log) == Lines{"9: added"});
    CHECK(log.events()[0].sequence == 9);
    for (const char* next : {"10", "11"}) registry.create(next);
    CHECK(linesOf(log) == Lines{"9: added", "10: added", "11: added"});
    CHECK(LoggedEvent{}.sequence == 0);
}

TEST_CASE("A log keeps the kinds that it was asked for, and costs nothing for others") {
    CircuitBreakerRegistry registry;
    const EventLog log{registry, 10, {EventKind::CallSucceeded, EventKind::ConfigConflict}};
    const auto breaker = registry.create("a");
    const auto& hub = detail::CoreAccess::coreOf(*breaker).hub();
    CHECK(hub.wants<CallSucceeded>());
    CHECK_FALSE(hub.wants<StateChanged>());
    CHECK_FALSE(hub.wants<CallFailed>());
    breaker->tryAcquire().failure();
    breaker->tryAcquire().report(Outcome::Success, 2s);
    (void)registry.getOrCreate("a", ConsecutiveFailures{7});
    const auto lines = linesOf(log);
    REQUIRE(lines.size() == 2);
    CHECK(lines[0] == "a: succeeded after 2 s");
    CHECK_THAT(lines[1], Catch::Matchers::ContainsSubstring("5 failures in a row") &&
                             Catch::Matchers::ContainsSubstring("7 failures in a row"));
}

TEST_CASE("By default a log leaves out successes") {
    CircuitBreakerRegistry registry;
    {
        const EventLog log{registry, 10};
        withCircuitBreaker(registry, "a", [] {});
        CHECK(linesOf(log) == Lines{"a: added"});
        CHECK(detail::CoreAccess::coreOf(*registry.get("a")).hub().wants<CallFailed>());
    }
    CHECK_FALSE(detail::CoreAccess::coreOf(*registry.get("a")).hub().wants<CallFailed>());
}

TEST_CASE("A log of no capacity is refused, and a log may outlive its registry") {
    std::optional<CircuitBreakerRegistry> registry{std::in_place};
    CHECK_THROWS_WITH((EventLog{*registry, 0}),
                      Catch::Matchers::ContainsSubstring("capacity is 0"));
    const EventLog log{*registry, 10};
    registry->create("a");
    registry.reset();
    CHECK(linesOf(log) == Lines{"a: added"});
}

TEST_CASE("Each kind of event has its words") {
    CHECK(toString(EventKind::StateChanged) == "STATE_CHANGED");
    CHECK(toString(EventKind::ModeChanged) == "MODE_CHANGED");
    CHECK(toString(EventKind::WasReset) == "WAS_RESET");
    CHECK(toString(EventKind::Reconfigured) == "RECONFIGURED");
    CHECK(toString(EventKind::CallSucceeded) == "CALL_SUCCEEDED");
    CHECK(toString(EventKind::CallFailed) == "CALL_FAILED");
    CHECK(toString(EventKind::CallTimedOut) == "CALL_TIMED_OUT");
    CHECK(toString(EventKind::CallRejected) == "CALL_REJECTED");
    CHECK(toString(EventKind::CallIgnored) == "CALL_IGNORED");
    CHECK(toString(EventKind::SlowCall) == "SLOW_CALL");
    CHECK(toString(EventKind::BreakerAdded) == "BREAKER_ADDED");
    CHECK(toString(EventKind::BreakerRemoved) == "BREAKER_REMOVED");
    CHECK(toString(EventKind::ConfigConflict) == "CONFIG_CONFLICT");
    CHECK(toString(static_cast<EventKind>(200)) == "UNKNOWN");
    CHECK(toString(static_cast<RemovalReason>(200)) == "UNKNOWN");
    const auto rejected = [](RejectionReason reason, std::chrono::nanoseconds rest) {
        return detail::inWords(CallRejected{{}, {"a", CircuitState::Open, reason, rest}});
    };
    CHECK(rejected(RejectionReason::Open, 4s) == "rejected: OPEN, retry after 4 s");
    CHECK(rejected(RejectionReason::ProbesBusy, 0s) == "rejected: PROBES_BUSY");
    CHECK(rejected(RejectionReason::ForcedOpen, kForever) == "rejected: FORCED_OPEN");
    CHECK(detail::inWords(SlowCall{{}, 4s, Outcome::Failure}) == "slow after 4 s (FAILURE)");
    CHECK(detail::inWords(Reconfigured{{}, "x", "y"}) == "reconfigured: y; before: x");
    CHECK(detail::inWords(CallFailed{{}, 0s, std::make_exception_ptr(1)}) ==
          "failed: an exception not derived from std::exception");
}
